"""The report as a whole: what it says first, what it never does, and that no name of a cohort reaches it as markup."""

from __future__ import annotations

import re
from pathlib import Path

from tests.training import reports
from tests.training.evaluations import N_WINDOWS
from tests.training.reporting.conftest import Write, facts_of
from tests.training.reporting.reading import Reader
from training.reporting.facts import Facts
from training.reporting.sections import NOT_COMPARABLE, SECTIONS

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 1111*1111 }}&$x^2$'


def test_what_must_not_be_missed_stands_before_every_figure(html: str) -> None:
    """Research use, not validated, origin, then the verdict in words, then unit and size; only then a figure."""
    text = Reader(html).text
    body = text[text.index("To the figures") :]
    places = [
        body.index(words)
        for words in (
            "Research use only.",
            "Not validated.",
            "SYNTHETIC: SIMULATED PATIENTS",
            "The network (lstm-bands) is not shown to beat",
            "The unit is the patient: 24 patients, 13 with a good outcome",
            "161,569 parameters",
            "and is calibrated on the other folds.",
            "Headline, unit patient",
        )
    ]
    assert places == sorted(places)
    assert not re.search(r"\d", body[: body.index("The unit is the patient")].replace("bands", ""))


def test_a_clinical_cohort_is_not_called_synthetic(write: Write) -> None:
    """The band says what the patients are, and an origin that nobody stated is not taken for a clinical one."""
    text = Reader(write(facts_of("clinical"))).text
    assert "CLINICAL COHORT" in text
    assert "SYNTHETIC" not in text
    assert NOT_COMPARABLE not in text
    unknown = Reader(write(facts_of("unheard of"))).text
    assert "ORIGIN UNKNOWN" in unknown
    assert NOT_COMPARABLE in unknown


def test_synthetic_figures_never_stand_beside_the_papers_without_the_warning(html: str) -> None:
    """The paper's row has its unit and N; simulated patients also the sentence that the two cannot be compared."""
    text = Reader(html).text
    beside = text[text.index("Beside the paper", text.index("Where it comes from")) :]
    assert beside.index(NOT_COMPARABLE) < beside.index("the paper not stated not stated 0.6800 0.6833 0.6763 0.6753")


def test_a_name_of_the_cohort_is_text_and_nothing_else(write: Write) -> None:
    """A hostile site, patient, flag or cohort name is shown as it is and does nothing."""
    evaluation = reports.sample()
    evaluation["patients"][0].update(patient=HOSTILE, site=HOSTILE, flags=[HOSTILE])
    evaluation["groups"][0]["value"] = HOSTILE
    evaluation["run"]["cohort"]["name"] = evaluation["run"]["name"] = HOSTILE
    evaluation["models"][0]["name"] = HOSTILE
    html = write(facts_of(**evaluation))
    read = Reader(html)
    assert not {"script", "img", "iframe", "object"} & {tag for tag, _ in read.elements}
    assert not [name for _, attributes in read.elements for name in attributes if name.startswith("on")]
    assert read.text.count(HOSTILE) >= 5
    assert "1234321" not in read.text


def test_the_file_asks_no_network_for_anything(html: str) -> None:
    """Nothing is loaded: no script, no address but those of namespaces, and a policy that forbids the rest."""
    read = Reader(html)
    policy = next(meta["content"] for meta in read.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    for tag, attributes in read.elements:
        for name in ("src", "href", "xlink:href", "action", "data"):
            if attributes.get(name) is not None and (tag, name) != ("link", "href"):
                assert attributes[name].startswith("#"), (tag, attributes)


def test_ids_are_unique_and_links_lead_somewhere(html: str) -> None:
    """Many figures in one page share no id, and every link of the page has its place."""
    read = Reader(html)
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [attributes.get("href") or attributes.get("xlink:href") for _, attributes in read.elements]
    assert {target[1:] for target in targets if target and target.startswith("#")} <= set(ids)


def test_figures_have_words_and_tables_have_scopes(html: str) -> None:
    """Whoever cannot see the page is told what a figure shows and which heading a cell has."""
    read = Reader(html)
    drawings = read.all("svg")
    assert len(drawings) == 6 + reports.N_PATIENTS
    assert all(svg["role"] == "img" and len(svg["aria-label"] or "") > 40 for svg in drawings)
    assert all(cell.get("scope") in ("col", "row") for cell in read.all("th"))
    assert len(read.all("caption")) == len(read.all("table"))


def test_secondary_figures_are_folded_up_and_named(html: str) -> None:
    """A figure over windows stands in a closed fold that says what its unit is (law 9)."""
    section = html[html.index('<section id="secondary"') :]
    section = section[: section.index("</section>")]
    assert "<details>\n<summary>Secondary figures: the unit is the window, not the patient" in section
    assert "AUC over windows" in section and "AUC over windows" not in html.replace(section, "")
    assert f"<td>{reports.N_PATIENTS * N_WINDOWS}</td>" in section
    assert "open" not in {name for attributes in Reader(html).all("details") for name in attributes}


def test_every_section_of_the_registry_is_in_the_page(html: str) -> None:
    """The list of links and the sections come from one registry."""
    made = [make(facts_of()) for make in SECTIONS]
    assert [f'<section id="{section.anchor}"' in html for section in made] == [True] * len(made)
    assert [f'href="#{section.anchor}">{section.title}</a>' in html for section in made] == [True] * len(made)


def test_every_section_is_described(html: str) -> None:
    """docs/evaluation.md has a row for each section."""
    page = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text("utf-8")
    described = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", page[: page.index("## What the figures")], re.MULTILINE)[1:]
    assert described == re.findall(r"<h2[^>]*>([^<]+)</h2>", html)


def test_what_is_missing_is_left_out_by_name(write: Write) -> None:
    """A run without baselines, figures, curves or patients has a report that says so, with no 0 in their place."""
    evaluation = reports.sample()
    model = {**evaluation["models"][0], "roc": None, "reliability": [], "decision": [], "by_windows": [],
             "window_level": None, "figures": {}}  # fmt: skip
    lean = {key: [] for key in ("paired", "groups", "paper_table", "patients")}
    changed = {"models": [model], "permuted": None, "fma": None, "ordinal": None, "training": {}, **lean}
    text = Reader(write(Facts(facts_of(**changed).evaluation))).text
    assert "No baseline stands beside the network" in text
    for words in (
        "Left out: the network has no head for the score.",
        "Left out: no labels were permuted.",
        "Left out: the evaluation holds no patients.",
        "Left out: no network has a decision curve.",
        "Left out: no network has figures by number of windows.",
        "Left out: no model has figures over single windows.",
        "Left out: the cohort names no site, territory or days since onset.",
        "Left out: the evaluation holds no table of the paper.",
        "No metrics.csv: no curves.",
        "No model has a ROC curve.",
        "No network has reliability points.",
        "No paired comparison",
        "The run does not say what it took.",
        "24 (13) not available not available not available",
    ):
        assert words in text


def test_a_baseline_s_figures_are_not_taken_for_more_than_they_are(html: str) -> None:
    """Sites are left out of baselines only; the majority knows the outcomes that it is judged by."""
    text = Reader(html).text
    assert "Leave one site out, baselines only: fitted to the other sites" in text
    assert text.count("those it is judged on too, so that it ranks nobody") == 2


def test_figures_are_files_of_their_own(folder: Path, write: Write, tmp_path: Path) -> None:
    """Each figure lies in the folder, the same bytes every time, with no date and no host in it."""
    write(facts_of())
    first, again = ({path.name: path.read_bytes() for path in (place / "figures").iterdir()}
                    for place in (folder, tmp_path))  # fmt: skip
    assert first == again
    names = ("roc", "reliability-lstm-bands", "decision-lstm-bands", "by-windows-lstm-bands", "permuted", "learning")
    assert set(first) == {f"{name}.svg" for name in names}
    assert all(b"<title>" in svg and b"<metadata>" not in svg for svg in first.values())
