/** What the server says in English is said again in the page's language. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CATALOGUE } from "../../../dashboard/static/words/catalogue.js";
import { inOther, sentencesOf, told } from "../../../dashboard/static/words/told.js";

const KNOWN = sentencesOf(CATALOGUE.en.told, CATALOGUE.zh.told);
const chinese = (text) => inOther(text, KNOWN);

test("a sentence keeps its values", () => {
  assert.equal(chinese("0 of 2 windows are scored. Go on with the movements."), "已评分 0 个窗口，共需 2 个。 请继续做动作。");
});

test("a value may be a sentence, or many", () => {
  assert.equal(chinese("no signal since the source is stream lost, searching for 7 s"), "没有信号，数据源状态：数据流丢失，已寻找 7 秒");
  assert.match(chinese("Bad: C3 (7 windows), RF (1 window). Press or re-gel these electrodes."), /^质量差：C3（7 个窗口）, RF（1 个窗口）。 按压/);
});

test("none is taken for another that begins like it", () => {
  assert.equal(chinese("1 window waiting for the scorer"), "1 个窗口等待评分");
  assert.match(chinese("3 windows waiting for the scorer, which does not answer (4 s)"), /无响应（4 秒）/);
});

test("what is not known is shown as it came, and all is as it came in English", () => {
  assert.equal(chinese("The disk is on fire."), "The disk is on fire.");
  assert.equal(chinese("The disk is on fire. Go on with the movements."), "The disk is on fire. 请继续做动作。");
  assert.equal(told("Go on with the movements."), "Go on with the movements.");
});
