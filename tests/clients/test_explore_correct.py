"""Types are corrected in the browser, and the next run takes it up."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from explore_page import SAYS, choose, complaints, press, reads, served, show
from quick import OVERRIDES, QUICK

from geo.clusters.hands.corrections import read_corrections
from geo.outputs.names import read_names
from tasks.ending.publish import publish
from tasks.explore.correcting.corrected import Corrected
from tasks.explore.correcting.said import Speaker, Word, say
from tasks.planning import make_plan
from tasks.stages.order import STAGES
from tasks.store.stage import run_stage

TOP = Path(__file__).parents[2]
UNDO = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'z', ctrlKey: true, bubbles: true}))"


@pytest.fixture
def folder(shared, town):
    """A copy of the runs of the town, as of the tests of runs."""

    def make(out):
        command = [sys.executable, "-m", "flows.cli", "run", town.city, "--out", out, *QUICK]
        subprocess.run(command, check=True, cwd=TOP, capture_output=True)

    return shared.copy(shared.once("quick", make)) / "demo-town"


def run_again(town, folder):
    """Run the town again, in this process and without Prefect."""
    plan = make_plan(town.city, OVERRIDES, folder.parent)
    publish(plan, [run_stage(stage, plan) for stage in STAGES], seconds=1.0)


def types_of(folder):
    segments = pd.read_parquet(folder / "latest" / "layers" / "segments.parquet")
    return segments.set_index("segment_id")["cluster"].dropna().astype(int)


def faults(tab):
    """What the page complains of beside what the server refused it, which it tells its reader itself."""
    return [said for said in complaints(tab) if "Failed to load resource" not in str(said)]


def ask_for(tab, address):
    """Ask as the page does; gives the status and what is answered."""
    asked = f"fetch({address!r}).then(async one => JSON.stringify([one.status, await one.json()]))"
    return json.loads(tab.run(asked))


def name_a_type(tab, number, name):
    """Give a type a name; the gallery, which is open already, calls it so as well."""
    press(tab, f"details[data-type='{number}'] summary")
    tab.run(
        f"(field => {{ field.value = {name!r}; field.dispatchEvent(new Event('input')) }})"
        f"(document.getElementById('type-{number}-name'))"
    )
    press(tab, f"form[data-type='{number}'] button[type=submit]")
    reads(tab, "#gallery .choices select", name)


def mark_and_look_elsewhere(tab, segments):
    """Mark two segments, so that they are asked about, and look at the gallery."""
    for segment in segments:
        tab.run(f"location.hash = '#segment={segment}'")
        tab.wait(f"document.querySelector('#card').innerText.includes({segment!r})")
        press(tab, f"#card .correct-here[data-segment='{row_of(tab, segment)}'] [data-say=mark]")
    tab.wait("document.activeElement.dataset.say === 'like'")
    press(tab, "#tab-gallery")


def row_of(tab, segment):
    return tab.run(
        f"fetch('columns/segment_id.json').then(r => r.json()).then(ids => ids.indexOf({segment!r}))"
    )


def look_at_collisions_and_back(tab):
    """Types are not drawn after the outcome unless somebody asks for it."""
    assert ask_for(tab, "columns/n_ksi.json")[0] == 403
    assert tab.run("document.querySelector('#colour option[value=n_ksi]').disabled")
    press(tab, "#correct-collisions")
    tab.wait("!document.querySelector('#colour option[value=n_ksi]').disabled")
    press(tab, "#tab-card")
    press(tab, "#card .correct-here [data-say=right]")
    reads(tab, "#card .correct-here", "is type 1")
    tab.run(UNDO)
    tab.wait(f"!({SAYS.format('#card .correct-here', 'is type 1')})")


def test_types_are_merged_and_segments_corrected_in_the_page_and_the_next_run_takes_it_up(
    tab, folder, town, tmp_path
):
    before = types_of(folder)
    chosen, other = before.index[before == 1][:2]
    with served(folder / "latest", tmp_path, edit=True) as server:
        rows = list(server.page.segments["segment_id"])
        show(tab, server.address, f"#segment={chosen}")
        tab.wait("!!document.querySelector('#correct .type-form')")
        press(tab, "#tab-correct")

        name_a_type(tab, 2, "Terraces")
        press(tab, "details[data-type='3'] summary")
        choose(tab, "#type-3-merged_into", "2")
        press(tab, "form[data-type='3'] button[type=submit]")
        reads(tab, "#run-again", "type 3 made part of another")
        assert read_names(folder / "clusters.csv")[3].merged_into == 2

        press(tab, "#tab-card")
        press(tab, "#card .correct-here [data-say=not]")
        reads(tab, "#card .correct-here", "is not type 1")
        tab.run(UNDO)
        tab.wait(f"!({SAYS.format('#card .correct-here', 'is not type 1')})")
        assert read_corrections(folder / "corrections.csv") == ()
        choose(tab, "#card .correct-here select", "4")
        press(tab, "#card .correct-here [data-say=is]")
        reads(tab, "#card .correct-here", "is type 4")
        (word,) = read_corrections(folder / "corrections.csv")
        assert (word.segment_id, word.says, word.type) == (chosen, "is", 4)
        assert word.collisions_in_view is False

        # what another page says appears, and nobody's words are lost; who looks elsewhere goes on to
        mark_and_look_elsewhere(tab, (other, chosen))
        say(Corrected(server.page), [Word(rows.index(other), "is", 1)], Speaker("bob", in_view=False))
        reads(tab, "#correct-said", "bob")
        assert tab.run("document.getElementById('tab-gallery').getAttribute('aria-selected')") == "true"
        press(tab, "#tab-correct")
        reads(tab, "#run-again", "2 words about segments")

        look_at_collisions_and_back(tab)
        assert faults(tab) == []

    # a page that asks on while nobody listens to it would fill the browser's line to the test
    tab.send("Page.navigate", url="about:blank")
    run_again(town, folder)
    after = types_of(folder)
    assert after[chosen] == 4
    assert set(after[before == 3]) == {2}
    with served(folder / "latest", tmp_path, edit=True) as server:
        show(tab, server.address, f"#segment={chosen}")
        reads(tab, "#card .type-of", "Type 4")
        press(tab, "#tab-correct")
        reads(tab, "#correct-said", "Taken up by this run")
        reads(tab, "#correct-next", "of these 1 (50 %)")
        assert not tab.run("!!document.querySelector('#run-again')")
        assert faults(tab) == []
