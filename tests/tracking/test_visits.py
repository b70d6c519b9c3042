"""Who is in view since when: the answers are sums of the times at which a person was shown."""

from collections.abc import Iterable

import pytest

from human_pose.tracking.gate import Gate
from human_pose.tracking.visits import BLINK_S, Visit, Visits
from tests.helpers.people import SIZE, person

UP = Gate(0.5, 1, 0.5, 0)  # x = 100


def show(visits: Visits, time_s: float, *numbers: int | None) -> list[Visit]:
    return visits.update([person(number=number) for number in numbers], time_s, SIZE)


def run(frames: Iterable[tuple[float, tuple[int, ...]]], gap_s: float = 3.0) -> list[Visit]:
    visits = Visits(gap_s)
    ended = [visit for time_s, numbers in frames for visit in show(visits, time_s, *numbers)]
    return ended + visits.close()


def times(start_s: float, end_s: float, fps: float) -> list[float]:
    return [start_s + index / fps for index in range(round((end_s - start_s) * fps) + 1)]


@pytest.mark.parametrize("fps", [1, 2, 25, 60])
def test_at_any_frame_rate_who_is_seen_in_every_frame_is_in_view_all_the_time(fps: int) -> None:
    [visit] = run((time_s, (7,)) for time_s in times(2, 12, fps))
    assert (visit.number, visit.first_s, visit.last_s, visit.entries) == (7, 2, 12, 1)
    assert visit.in_view_s == pytest.approx(10)


def test_a_changing_frame_rate_is_summed_as_it_comes() -> None:
    [visit] = run((time_s, (1,)) for time_s in [*times(0, 1, 25), 2.0, 4.5, *times(4.6, 5.6, 10)])
    assert visit.in_view_s == pytest.approx(5.6)
    assert visit.entries == 1


def test_who_is_missing_for_two_seconds_is_not_in_view_for_these() -> None:
    seen = set(times(0, 4, 25)) | set(times(6, 8, 25))
    [visit] = run((time_s, (1,) if time_s in seen else ()) for time_s in times(0, 8, 25))
    assert (visit.first_s, visit.last_s, visit.entries) == (0, 8, 2)
    assert visit.in_view_s == pytest.approx(6)


def test_who_is_lost_for_some_frames_has_not_left() -> None:
    [visit] = run([(0, (1,)), (0.125, ()), (0.25, ()), (BLINK_S, (1,))])
    assert (visit.in_view_s, visit.entries) == (BLINK_S, 1)
    [visit] = run([(0, (1,)), (0.25, ()), (BLINK_S + 0.125, (1,))])
    assert (visit.in_view_s, visit.entries) == (0, 2)


def test_at_one_frame_a_second_a_missing_frame_is_an_absence() -> None:
    [visit] = run([(0, (1,)), (1, (1,)), (2, ()), (3, (1,)), (4, (1,)), (5, (1,))])
    assert (visit.in_view_s, visit.entries) == (1 + 2, 2)


def test_who_comes_back_within_the_gap_is_on_the_same_visit() -> None:
    [visit] = run([(0, (1,)), (1, (1,)), (2, ()), (3, ()), (4, (1,)), (5, (1,))])
    assert visit == Visit(1, 0, 5, 2, 2, 0, 0)


def test_a_visit_ends_with_its_last_sighting_when_the_gap_is_over() -> None:
    visits = Visits(3.0)
    assert show(visits, 0, 1) == []
    assert show(visits, 1, 1) == []
    for time_s in (2, 3, 4):
        assert show(visits, time_s) == []
    assert show(visits, 4.25) == [Visit(1, 0, 1, 1, 1, 0, 0)]
    assert show(visits, 5) == []
    assert visits.close() == []


def test_a_number_that_comes_back_later_is_a_new_visit() -> None:
    frames = [(0, (1,)), (1, (1,)), *((time_s, ()) for time_s in (2, 3, 4, 5)), (6, (1,)), (8, (1,))]
    assert run(frames) == [Visit(1, 0, 1, 1, 1, 0, 0), Visit(1, 6, 8, 2, 1, 0, 0)]


def test_a_jump_ahead_ends_the_visits_even_of_who_is_seen_after_it() -> None:
    assert run([(0, (1,)), (1, (1,)), (100, (1,)), (101, (1,))]) == [
        Visit(1, 0, 1, 1, 1, 0, 0),
        Visit(1, 100, 101, 1, 1, 0, 0),
    ]


def test_a_new_round_of_a_video_ends_all_visits() -> None:
    visits = Visits()
    show(visits, 0, 1, 2)
    show(visits, 1, 1)
    assert show(visits, 0, 1) == [Visit(1, 0, 1, 1, 1, 0, 0), Visit(2, 0, 0, 0, 1, 0, 0)]
    show(visits, 2, 1)
    assert visits.close() == [Visit(1, 0, 2, 2, 1, 0, 0)]


def test_time_that_stands_still_is_no_error() -> None:
    assert run([(5, (1,)), (5, (1,)), (5, ()), (5, (1,)), (6, (1,))]) == [Visit(1, 5, 6, 1, 1, 0, 0)]


def test_close_ends_everything_in_the_order_of_the_starts() -> None:
    visits = Visits()
    show(visits, 0, 9)
    show(visits, 1, 3, 9)
    assert [visit.number for visit in visits.close()] == [9, 3]
    assert (visits.close(), visits.in_view, visits.people) == ([], 0, 2)


def test_who_has_no_number_yet_is_left_out() -> None:
    visits = Visits()
    show(visits, 0, None, 4, None)
    assert (visits.in_view, visits.people) == (1, 1)
    assert [visit.number for visit in visits.close()] == [4]


def test_a_number_given_twice_in_a_frame_is_one_person() -> None:
    visits = Visits(gate=UP)
    for time_s in (0, 1):
        visits.update([person(60, number=1), person(140, number=1)], time_s, SIZE)
    assert visits.close() == [Visit(1, 0, 1, 1, 1, 0, 0)]


def test_what_is_known_at_every_moment() -> None:
    visits = Visits()
    assert (visits.in_view, visits.people, visits.seconds_in_view(1)) == (0, 0, 0)
    show(visits, 0, 1, 2)
    show(visits, 1, 1, 2)
    show(visits, 2, 1)
    assert (visits.in_view, visits.people) == (1, 2)
    assert (visits.seconds_in_view(1), visits.seconds_in_view(2), visits.seconds_in_view(3)) == (2, 1, 0)
    for time_s in (3, 4, 5):
        show(visits, time_s, 3)
    assert (visits.in_view, visits.people) == (1, 3)
    assert visits.seconds_in_view(2) == 0  # the visit is over
    show(visits, 5, 2, 3)
    assert (visits.in_view, visits.people) == (2, 3)  # the second person was here before


# The gate


def walk(visits: Visits, start_s: float, *places: float | None, number: int = 1) -> list[Visit]:
    """One frame a second; None: nobody is seen."""
    ended = []
    for index, x in enumerate(places):
        ended += visits.update([] if x is None else [person(x, number=number)], start_s + index, SIZE)
    return ended


def test_crossings_are_counted_for_the_person_and_for_the_gate() -> None:
    visits = Visits(gate=UP)
    for index, (first, second) in enumerate([(60, 140), (140, 60), (60, 60), (140, 60)]):
        visits.update([person(first, number=1), person(second, number=2)], index, SIZE)
    assert (visits.crossed_in, visits.crossed_out) == (2, 2)
    assert visits.close() == [Visit(1, 0, 3, 3, 1, 2, 1), Visit(2, 0, 3, 3, 1, 0, 1)]
    assert (visits.crossed_in, visits.crossed_out) == (2, 2)


def test_who_vanishes_before_the_line_and_comes_back_behind_it_has_crossed() -> None:
    visits = Visits(3.0, UP)
    assert walk(visits, 0, 60, None, None, 140) == []
    assert visits.close() == [Visit(1, 0, 3, 0, 2, 1, 0)]


def test_who_comes_back_behind_the_line_after_the_gap_has_not() -> None:
    visits = Visits(3.0, UP)
    walk(visits, 0, 60, None, None, None, 140)
    assert (visits.crossed_in, visits.crossed_out) == (0, 0)


def test_the_first_place_of_a_new_round_is_no_step_from_the_last_of_the_old() -> None:
    visits = Visits(3.0, UP)
    assert walk(visits, 0, 60, 140) == []
    assert walk(visits, 0, 60, 140) == [Visit(1, 0, 1, 1, 1, 1, 0)]
    assert (visits.crossed_in, visits.crossed_out) == (2, 0)


def test_without_a_gate_nothing_is_crossed() -> None:
    visits = Visits()
    walk(visits, 0, 60, 140)
    assert (visits.crossed_in, visits.crossed_out) == (0, 0)
