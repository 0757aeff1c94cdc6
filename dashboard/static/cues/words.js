// @ts-check
/** Every word of the cues, in every language: what is missing in one is an error of types. */

const ENGLISH = {
  /** What the patient reads, scene by scene: a word or two, one short sentence. */
  scenes: {
    ready: ["Welcome", "Make yourself comfortable.\nWe begin soon."],
    still: ["Keep still", "Breathe calmly.\nNothing to do yet."],
    preparation: ["Get ready", "You will bend your leg in a moment."],
    flexion: ["Bend", "Hip and knee together, slowly."],
    rest: ["Rest", "Leave your leg where it is."],
    extension: ["Straighten", "Hip and knee together, slowly."],
    paused: ["Pause", "Rest a little.\nWe go on when you are ready."],
    ended: ["Thank you", "The exercise is over.\nYou can relax."],
    away: ["One moment", "Please stay as you are."],
  },
  /** What comes next, in the patient's words. */
  next: {
    preparation: "Next: get ready",
    flexion: "Next: bend",
    rest: "Next: rest",
    extension: "Next: straighten",
    "session-end": "Then you are done",
    paused: "Next: a pause",
  },
  trial: "Repetition {n} of {of}",
  minutes: "about {n} min left",
  length: "about {n} min in all",
  lastMinute: "less than a minute left",
  start: "Start",
  pause: "Pause",
  goOn: "Go on",
  pausing: "Pause after this repetition",
  end: "End",
  endSure: "End now?",
  endYes: "Yes, end",
  endNo: "No, go on",
  full: "Full screen",
  other: "中文",
  unheard: "Nobody records the markers",
  noContact: "No contact with the computer for {s} s",
  connecting: "Connecting",
  refused: "The computer did not take that",
  dark: "Turn off this screen's sleep",
  picture: { straight: "A leg, stretched out", bending: "A leg that bends", bent: "A leg, bent", straightening: "A leg that straightens" },
  research: "Research use only. Not a medical device. Not for diagnosis.",
};

/** @typedef {typeof ENGLISH} Words */

/** @type {Words} */
const CHINESE = {
  scenes: {
    ready: ["欢迎", "请舒适地躺好。\n马上开始。"],
    still: ["保持不动", "平静呼吸。\n暂时不用做动作。"],
    preparation: ["准备", "马上要屈腿了。"],
    flexion: ["屈腿", "髋部和膝盖一起，慢慢来。"],
    rest: ["休息", "腿保持现在的位置。"],
    extension: ["伸腿", "髋部和膝盖一起，慢慢来。"],
    paused: ["暂停", "休息一下。\n准备好后继续。"],
    ended: ["谢谢", "练习结束了。\n可以放松了。"],
    away: ["请稍等", "请保持现在的姿势。"],
  },
  next: {
    preparation: "接下来：准备",
    flexion: "接下来：屈腿",
    rest: "接下来：休息",
    extension: "接下来：伸腿",
    "session-end": "接下来：结束",
    paused: "接下来：暂停",
  },
  trial: "第 {n} 次，共 {of} 次",
  minutes: "还剩约 {n} 分钟",
  length: "共约 {n} 分钟",
  lastMinute: "还剩不到一分钟",
  start: "开始",
  pause: "暂停",
  goOn: "继续",
  pausing: "本次结束后暂停",
  end: "结束",
  endSure: "现在结束吗？",
  endYes: "是，结束",
  endNo: "不，继续",
  full: "全屏",
  other: "English",
  unheard: "没有程序在记录标记",
  noContact: "与计算机失去联系 {s} 秒",
  connecting: "正在连接",
  refused: "计算机没有接受这个操作",
  dark: "请关闭屏幕的自动休眠",
  picture: { straight: "伸直的腿", bending: "正在弯曲的腿", bent: "弯曲的腿", straightening: "正在伸直的腿" },
  research: "仅供研究使用。非医疗器械，不用于诊断。",
};

export const CATALOGUE = Object.freeze({ en: ENGLISH, zh: CHINESE });

/** @typedef {keyof typeof CATALOGUE} Language */
/** @typedef {keyof Words["scenes"]} Scene */

/**
 * The language of a page; one that is not in the catalogue is a fault of the server.
 *
 * @param {string} code
 * @returns {Language}
 */
export function languageOf(code) {
  if (code !== "en" && code !== "zh") throw new Error(`there are no words in language ${code}`);
  return code;
}
