"""Heads trained on looks: what they are trained to, what several agree on, and what they never do."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from pydantic import ValidationError
from sklearn.metrics import adjusted_rand_score

from geo.clusters.evidence.choose import choose_k, less_stable
from geo.clusters.methods.average import Average
from geo.clusters.methods.heads import labelling
from geo.clusters.methods.heads.consensus import agreed, grouped
from geo.clusters.methods.heads.kind import _pairs
from geo.clusters.methods.heads.objectives import Consistency, Information
from geo.clusters.methods.heads.training import Heads, Pairs, one_thread, steps_of
from geo.clusters.methods.heads.views import views_of
from geo.clusters.methods.kind import Beside, Views
from geo.clusters.methods.scan import Scan
from geo.clusters.methods.temi import Temi

BOTH = pytest.mark.parametrize("kind", [Scan, Temi], ids=["scan", "temi"])


def ring(each=(60, 60, 60), noise=0.25, seed=0, components=6):
    """Looks about as many directions as there are sizes, and which each one is about."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(each)), each)
    points = np.eye(components)[truth] + noise * rng.normal(size=(len(truth), components))
    return points / np.linalg.norm(points, axis=1, keepdims=True), truth


def heads_of(seed=0, heads=2, components=3, k=4):
    rng = np.random.default_rng(seed)
    return Heads.about(rng.normal(size=(heads, k, components)))


def looks(seed, n=7, components=3):
    return torch.tensor(np.random.default_rng(seed).normal(size=(n, components)), dtype=torch.float32)


def test_heads_begin_with_the_nearest_centre():
    rng = np.random.default_rng(0)
    centres, points = rng.normal(size=(2, 4, 3)), rng.normal(size=(30, 3))
    apart = ((points[None, :, None] - centres[:, None]) ** 2).sum(axis=3)
    found = Heads.about(centres)(torch.tensor(points, dtype=torch.float32))
    assert (found.argmax(dim=2).numpy() == apart.argmin(axis=2)).all()
    np.testing.assert_allclose(found.sum(dim=2).numpy(), 1, rtol=1e-5)


def test_consistency_is_that_of_the_paper_worked_out_by_hand():
    heads, one, other = heads_of(), looks(1), looks(2)
    found = Consistency(0.7).loss(heads, one, other).numpy()
    for number in range(2):
        here, there = heads(one)[number].numpy(), heads(other)[number].numpy()
        mean = here.mean(axis=0)
        by_hand = -np.log((here * there).sum(axis=1)).mean() + 0.7 * (mean * np.log(mean)).sum()
        assert found[number] == pytest.approx(by_hand, rel=1e-4)


def test_information_is_that_of_the_paper_worked_out_by_hand():
    heads, one, other = heads_of(), looks(1), looks(2)
    objective = Information(0.6, heads_of(seed=5))
    teacher = objective.teacher.copy()
    found = objective.loss(heads, one, other).numpy()
    t1, t2 = teacher(one).numpy(), teacher(other).numpy()
    weight = (t1 * t2).sum(axis=2).mean(axis=0)
    for number in range(2):
        # what was thought of the sizes before the first step is that they are equal
        sizes = 0.9 / 4 + 0.1 * (t1[number].mean(axis=0) + t2[number].mean(axis=0)) / 2
        p1, p2 = heads(one)[number].numpy(), heads(other)[number].numpy()
        ahead = np.log(((p1 * t2[number]) ** 0.6 / sizes).sum(axis=1))
        back = np.log(((p2 * t1[number]) ** 0.6 / sizes).sum(axis=1))
        assert found[number] == pytest.approx(-(weight * (ahead + back) / 2).mean(), rel=1e-4)


def test_teachers_follow_slowly():
    objective, pupil = Information(0.6, heads_of(seed=1)), heads_of(seed=2)
    before = objective.teacher.copy()
    objective.follow(pupil)
    wanted = 0.95 * before.weights + 0.05 * pupil.weights
    torch.testing.assert_close(objective.teacher.weights, wanted)


@BOTH
def test_unequal_looks_are_found_where_they_lie_apart(kind):
    points, truth = ring((150, 60, 15), noise=0.15)
    assert adjusted_rand_score(truth, kind().fit(points, 3).labels) > 0.95


@BOTH
def test_the_order_of_segments_changes_nothing(kind):
    points, _ = ring(noise=0.5)
    points = np.concatenate([points, points[:30]])
    order = np.random.default_rng(1).permutation(len(points))
    fit, other = kind().fit(points, 4), kind().fit(points[order], 4)
    assert (fit.labels[order] == other.labels).all()
    assert fit.centroids.tobytes() == other.centroids.tobytes()


@BOTH
def test_no_type_is_empty_though_there_is_nothing_to_tell_them_by(kind):
    points = np.random.default_rng(0).normal(size=(90, 4))
    for k in (2, 9, 30, 89, 90):
        assert np.bincount(kind(heads=2).fit(points, k).labels, minlength=k).min() >= 1


@BOTH
@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_handful_of_segments_has_a_defined_answer(kind, n):
    points = np.random.default_rng(n).normal(size=(n, 3))
    for k in range(1, n + 1):
        assert sorted(set(kind().fit(points, k).labels)) == list(range(k))


@BOTH
def test_segments_that_all_look_the_same_are_one_type(kind):
    assert kind().fit(np.ones((40, 3)), 1).labels.tolist() == [0] * 40


@BOTH
def test_training_leaves_the_threads_of_others_alone(kind):
    before = torch.get_num_threads()
    kind().fit(ring()[0], 3)
    assert torch.get_num_threads() == before
    with one_thread():
        assert torch.get_num_threads() == 1


def test_steps_are_bounded_however_many_segments_there_are():
    assert steps_of(2) == 240
    assert steps_of(25_000) == steps_of(500_000) == 3000


def test_neighbours_are_not_of_the_same_ground_and_a_lonely_one_is_its_own():
    points, _ = ring((4, 4))
    everyone = sp.csr_array(~np.eye(8, dtype=bool))
    alone = _pairs(points, np.arange(8), 3, Beside(everyone))
    assert (alone.neighbours == np.arange(8)[:, None]).all()
    one = sp.csr_array((np.ones(2, dtype=bool), ([0, 1], [1, 0])), shape=(8, 8))
    assert 1 not in _pairs(points, np.arange(8), 3, Beside(one)).neighbours[0]


def test_other_looks_of_a_segment_are_shown_as_often_as_itself():
    points = np.arange(3, dtype=np.float32)[:, None]
    # the second segment has two other looks, the last none
    views = Views(np.array([[10.0], [11.0], [12.0]], dtype=np.float32), np.array([0, 1, 3, 3]))
    pairs = Pairs(points, np.repeat(np.arange(3), 1000), np.arange(3)[:, None], views)
    drawn = pairs.draw(0)
    shown = np.concatenate([np.concatenate(next(drawn), axis=1) for _ in range(40)])
    share = {
        of: dict(zip(*np.unique(shown[shown[:, 1] == of, 0], return_counts=True), strict=True))
        for of in range(3)
    }
    assert set(share[0]) == {0, 10}
    assert set(share[1]) == {1, 11, 12}
    assert set(share[2]) == {2}
    assert share[0][10] / share[0][0] == pytest.approx(1, abs=0.1)
    assert share[1][11] / share[1][1] == pytest.approx(1, abs=0.1)


def test_looks_of_segments_come_together_and_what_is_none_is_left_out():
    gone = np.array([[np.nan, 1.0], [0.0, 5.0]])
    parts = [(np.array(["b", "x"]), np.array([[3.0, 0.0], [1.0, 0.0]])), (np.array(["a", "b"]), gone)]
    views = views_of(parts, pd.Index(["a", "b"]), lambda vectors: 2 * vectors)
    assert views.points.tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert views.starts.tolist() == [0, 0, 2]
    assert views_of([], pd.Index(["a"]), lambda vectors: vectors) is None
    drawn = views.of(np.array([1, 0, 1]))
    assert drawn.starts.tolist() == [0, 2, 2, 4]
    assert drawn.points.tolist() == [[2.0, 0.0], [0.0, 2.0]] * 2


def test_other_looks_change_what_is_learnt():
    """Segments lie between two looks; turns of a segment lie on both sides of it along what is no type."""
    rng = np.random.default_rng(0)
    points, truth = ring((80, 80), noise=0.6, components=3)
    turns = np.repeat(points, 4, axis=0)
    turns[:, 2] += rng.normal(scale=2.0, size=len(turns))
    views = Views(turns.astype(np.float32), 4 * np.arange(len(points) + 1))
    plain, seen = (Scan().fit(points, 2, beside=beside) for beside in (Beside(), Beside(views=views)))
    assert adjusted_rand_score(truth, seen.labels) > 0.3
    assert plain.centroids.tobytes() != seen.centroids.tobytes()


def test_heads_agree_whatever_numbers_they_have():
    rng = np.random.default_rng(0)
    one = rng.dirichlet(np.ones(4) * 0.2, size=50)
    heads = np.stack([one[:, rng.permutation(4)] for _ in range(5)])
    found = agreed(heads, np.array([3.0, 1.0, 2.0, 5.0, 4.0]))
    np.testing.assert_allclose(found, heads[1])


def test_an_empty_type_gets_the_segment_that_is_most_of_it():
    membership = np.array([[0.5, 0.1, 0.4], [0.9, 0.05, 0.05], [0.8, 0.2, 0.0]])
    assert grouped(membership).tolist() == [2, 0, 1]


def test_self_labelling_is_off_and_keeps_looks_that_lie_apart():
    assert Scan().self_labelling is None
    points, truth = ring((60, 30, 60), noise=0.1)
    fit = Scan(self_labelling=0.99).fit(points, 3)
    assert adjusted_rand_score(truth, fit.labels) == 1
    assert fit.notes == ()
    with pytest.raises(ValidationError, match="self_labelling"):
        Scan(self_labelling=0.3)


def test_a_head_that_loses_a_type_by_labelling_itself_is_put_back_and_told(monkeypatch):
    points, truth = ring((60, 60), noise=0.1, components=2)
    pairs = _pairs(points, np.arange(120), 5, Beside())
    centres = np.stack([pairs.points[truth == one].mean(axis=0) for one in (0, 1)]).astype(float)

    def with_one_lost(heads, *_):
        found = heads.copy()
        found.weights += 0.1
        found.bias[-1, 0, 1] = -1000.0
        return found

    monkeypatch.setattr(labelling, "_trained", with_one_lost)
    heads = Heads.about(np.stack([centres, centres]))
    found, undone = labelling.self_labelled(heads, pairs, 0.9, seed=0)
    assert undone == 1
    assert (found.weights == heads.weights).all(dim=(1, 2)).tolist() == [False, True]
    (said,) = Scan(self_labelling=0.9, heads=3).fit(points, 2).notes
    assert said.startswith("self-labelling lost types in 1 of 3 heads")
    assert Scan(self_labelling=0.9, heads=3).fit(points, 2, thorough=False).notes == ()


def test_the_number_is_chosen_by_the_default_which_needs_no_training(monkeypatch):
    def never(*_, **__):
        raise AssertionError

    monkeypatch.setattr(Scan, "_trained", never)
    points, _ = ring()
    theirs, usual = Scan(k_range=(2, 5), seed=3), Average(k_range=(2, 5), seed=3)
    assert theirs.chooser() == usual
    pd.testing.assert_frame_equal(choose_k(points, theirs), choose_k(points, usual))


def test_types_that_change_more_than_those_of_the_default_say_so():
    choice = pd.DataFrame({"k": [2, 3], "stability": [0.4, 0.9], "chosen": [False, True]})
    labels = np.repeat([1, 2, 3], 20)
    same, other = np.stack([labels] * 4, axis=1), np.stack([np.roll(labels, 15)] * 4, axis=1)
    assert less_stable(labels, same, choice, Scan()) == []
    (said,) = less_stable(labels, other, choice, Temi())
    assert "temi change more" in said
    assert "against 0.90" in said
    assert less_stable(labels, other, choice, Average()) == []
    assert less_stable(labels, other, choice.assign(stability=np.nan), Scan()) == []
