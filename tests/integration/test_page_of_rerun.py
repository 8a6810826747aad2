"""A run that finds nothing changed says so in Prefect's page, beside what stands."""

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

from flows.city import city_flow
from flows.page import results
from tasks.store.summary import RunSummary


def test_a_run_that_changes_nothing_ends_in_a_state_that_says_so_and_shows_what_stands(
    finished, town, monkeypatch
):
    out, summary = finished
    # the server of this process is as good as one that lasts
    monkeypatch.setattr(results, "recorded", lambda: True)
    monkeypatch.delenv("ROADPRINT_RUNS_URL", raising=False)
    state = city_flow(str(town.city), None, str(out), return_state=True)
    told = RunSummary.read((out / "demo-town" / "latest").resolve() / "run.json")
    rejected = sum(row.rejected for row in told.stages)
    said = f"types; {rejected} rows rejected"
    assert said in state.message
    assert state.message.endswith("nothing has changed since an earlier run, whose results stand")
    assert state.result()["run_id"] == summary["run_id"]
    of_it = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id]))
    with get_client(sync_client=True) as client:
        made = {one.key: one for one in client.read_artifacts(artifact_filter=of_it)}
    # nothing was made: there is no progress
    assert set(made) == {"demo-town-summary", "demo-town-ledger", "demo-town-prototypes"}
    page = str(made["demo-town-summary"].data)
    assert "nothing has changed since an earlier run" in page
    assert str(told.run_id) in page
    assert "](" not in page
