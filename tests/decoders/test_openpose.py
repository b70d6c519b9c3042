"""Maps whose answer is known by arithmetic, and what both decoders make of them, the fast and the plain one."""

import math
from collections.abc import Mapping
from itertools import islice, product

import cv2
import numpy as np
import pytest

from human_pose.decoders import openpose as fast
from human_pose.decoders import openpose_plain as clear
from human_pose.decoders import peaks as fast_peaks
from human_pose.decoders.openpose import DEFAULT_MIN_KEYPOINTS, DEFAULT_THRESHOLD
from human_pose.decoders.openpose_fields import HEATMAP_CHANNELS, KEYPOINTS, LIMBS, PAF_CHANNELS, FieldLimb
from human_pose.decoders.openpose_plain import Connection
from human_pose.decoders.peaks import Peaks
from human_pose.poses.pose import Pose
from tests.helpers.painted import PERSON

pytestmark = pytest.mark.filterwarnings("error")

HEIGHT, WIDTH = 32, 40  # of the maps, in cells
PIXELS_PER_CELL = (7.5, 9.0)
TOLERANCE = 1e-5  # between the two decoders, absolute and relative
FACE = {"right_eye": (9, 3), "left_eye": (11, 3), "right_ear": (8, 4), "left_ear": (12, 4)}
WHOLE_PERSON = {**PERSON, **FACE}
RIGHT_ARM = ("nose", "neck", "right_shoulder", "right_elbow", "right_wrist")

Cells = Mapping[str, tuple[int, int]]  # keypoint: column and row
Maps = tuple[np.ndarray, np.ndarray]


def blank(height: int = HEIGHT, width: int = WIDTH) -> Maps:
    """Heatmaps on which there is background alone, and no field."""
    heatmaps = np.zeros((HEATMAP_CHANNELS, height, width), np.float32)
    heatmaps[-1] = 1
    return heatmaps, np.zeros((PAF_CHANNELS, height, width), np.float32)


def paint(maps: Maps, person: Cells, score: float = 1.0) -> None:
    """One lit cell for each keypoint, and the field of every limb that has both ends."""
    heatmaps, pafs = maps
    for name, (column, row) in person.items():
        heatmaps[KEYPOINTS.index(name), row, column] = score
    for limb in LIMBS:
        if limb.start in person and limb.end in person:
            paint_field(pafs[limb.paf[0] : limb.paf[1] + 1], person[limb.start], person[limb.end])


def paint_field(field: np.ndarray, start: tuple[int, int], end: tuple[int, int]) -> None:
    """A field of length 1 along the line from start to end, three cells wide, written into (2, h, w)."""
    mask = np.zeros(field.shape[1:], np.uint8)
    cv2.line(mask, start, end, 1, 3)
    field[:, mask > 0] = (np.subtract(end, start) / math.dist(start, end))[:, None]


def moved(person: Cells, columns: int) -> dict[str, tuple[int, int]]:
    return {name: (column + columns, row) for name, (column, row) in person.items()}


def painted(*people: Cells) -> Maps:
    maps = blank()
    for person in people:
        paint(maps, person)
    return maps


def erase_limb(maps: Maps, start: str, end: str) -> None:
    (limb,) = [limb for limb in LIMBS if (limb.start, limb.end) == (start, end)]
    maps[1][list(limb.paf)] = 0


def found(pose: Pose) -> dict[str, tuple[float, float]]:
    """The pose's keypoints in cells, to compare with what was painted."""
    return {
        name: (x / PIXELS_PER_CELL[0] - 0.5, y / PIXELS_PER_CELL[1] - 0.5)
        for name, (x, y, _) in zip(KEYPOINTS, pose.keypoints.tolist(), strict=True)
        if not math.isnan(x)
    }


def close_to(person: Cells) -> dict[str, object]:
    return {name: pytest.approx(cell, abs=1e-4) for name, cell in person.items()}


def gaussian(x: float, y: float, sigma: float = 1.75) -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)).astype(np.float32)


def peaks_at(*cells: tuple[float, float]) -> list[clear.Peak]:
    """Sure peaks, as find_peaks gives them."""
    return [clear.Peak(np.float32(x), np.float32(y), np.float32(1)) for x, y in cells]


def find_peaks(heatmap: np.ndarray, threshold: float) -> list[clear.Peak]:
    """The peaks of a map, found by both decoders."""
    [peaks] = peaks_of_each(heatmap[None], threshold)
    return peaks


def peaks_of_each(heatmaps: np.ndarray, threshold: float) -> list[list[clear.Peak]]:
    """The peaks of each of (n, h, w) maps, found by both decoders: by the fast one in all maps at once."""
    found = fast_peaks.find_peaks(heatmaps, threshold)
    expected = [clear.find_peaks(heatmap, threshold) for heatmap in heatmaps]
    assert found.points.dtype == found.scores.dtype == np.float32
    assert found.counts.tolist() == [len(peaks) for peaks in expected]
    values = np.stack([*found.points, found.scores], axis=1)
    assert_close(values, [peak for peaks in expected for peak in peaks])
    peaks = iter([clear.Peak(*value) for value in values])
    return [list(islice(peaks, count)) for count in found.counts]


def assert_close(found: np.ndarray, expected: object) -> None:
    """What the fast decoder found is what the plain one did, though its sums may have another order."""
    wanted = np.reshape(np.array(expected, np.float32), found.shape)
    np.testing.assert_allclose(found, wanted, rtol=TOLERANCE, atol=TOLERANCE)


def find_connections(starts: list[clear.Peak], ends: list[clear.Peak], field: np.ndarray) -> list[Connection]:
    """The limbs between some peaks, found by both decoders; to the fast one they are the first of all limbs."""
    counts = np.zeros(len(KEYPOINTS), int)
    counts[LIMBS[0].start_id], counts[LIMBS[0].end_id] = len(starts), len(ends)
    values = np.array([*starts, *ends], np.float32).reshape(-1, 3)
    pafs = np.zeros((PAF_CHANNELS, *field.shape[1:]), np.float32)
    pafs[list(LIMBS[0].paf)] = field
    found = fast.find_connections(Peaks(values[:, :2].T.copy(), values[:, 2].copy(), counts), pafs)
    connections = [Connection(start, end - len(starts), score) for _, start, end, score in found]
    assert {limb for limb, *_ in found} <= {0}
    expected = clear.find_connections(starts, ends, field)
    assert pairs(connections) == pairs(expected)
    assert_close(scores(connections), [one.score for one in expected])
    return connections


def group_people(connections: list[list[Connection]], peaks: list[list[clear.Peak]]) -> list[dict[int, int]]:
    """Who is made of some limbs, found by both decoders. peaks: ten of each keypoint."""
    numbered = [
        (index, 10 * limb.start_id + start, 10 * limb.end_id + end, score)
        for index, (limb, found) in enumerate(zip(LIMBS, connections, strict=True))
        for start, end, score in found
    ]
    points = np.array([(peak.x, peak.y) for of_part in peaks for peak in of_part], np.float32).T
    people = fast.group_people(numbered, points)
    found = [({part: peak - 10 * part for part, peak in person.peaks.items()}, person.score) for person in people]
    expected = clear.group_people(connections, peaks)
    assert [peaks for peaks, _ in found] == [person.peaks for person in expected]
    assert_close(np.array([score for _, score in found]), [person.score for person in expected])
    return [peaks for peaks, _ in found]


def decode(
    heatmaps: np.ndarray,
    pafs: np.ndarray,
    pixels_per_cell: tuple[float, float] = PIXELS_PER_CELL,
    threshold: float = DEFAULT_THRESHOLD,
    min_keypoints: int = DEFAULT_MIN_KEYPOINTS,
) -> list[Pose]:
    """The poses, found by both decoders."""
    poses = fast.decode(heatmaps, pafs, pixels_per_cell, threshold, min_keypoints)
    expected = clear.decode(heatmaps, pafs, pixels_per_cell, threshold, min_keypoints)
    assert len(poses) == len(expected)
    assert_close(np.array([pose.score for pose in poses]), [pose.score for pose in expected])
    for pose, other in zip(poses, expected, strict=True):
        assert_close(pose.keypoints, other.keypoints)
    return poses


def constant_field(x: float, y: float) -> np.ndarray:
    field = np.empty((2, HEIGHT, WIDTH), np.float32)
    field[0], field[1] = x, y
    return field


def pairs(connections: list[Connection]) -> list[tuple[int, int]]:
    return [(connection.start, connection.end) for connection in connections]


def scores(connections: list[Connection]) -> np.ndarray:
    return np.array([connection.score for connection in connections])


def no_limbs() -> list[list[Connection]]:
    return [[] for _ in LIMBS]


def joined(*limbs: tuple[str, int, str, int]) -> list[list[Connection]]:
    """Connections for group_people from (first keypoint, its peak, second keypoint, its peak)."""
    connections = no_limbs()
    for start, start_peak, end, end_peak in limbs:
        (index,) = [i for i, limb in enumerate(LIMBS) if (limb.start, limb.end) == (start, end)]
        connections[index].append(Connection(start_peak, end_peak, 1.0))
    return connections


def people_in(connections: list[list[Connection]]) -> list[dict[str, int]]:
    """Who is made of some limbs; all peaks are in one place, so that no limb is too long."""
    peaks = [peaks_at(*[(0, 0)] * 10)] * len(KEYPOINTS)
    return [{KEYPOINTS[part]: peak for part, peak in person.items()} for person in group_people(connections, peaks)]


# find_peaks


@pytest.mark.parametrize("row", [0, 13, HEIGHT - 1])
@pytest.mark.parametrize("column", [0, 17, WIDTH - 1])
def test_a_lit_cell_is_a_peak_there_also_at_the_border(column: int, row: int) -> None:
    heatmap = np.zeros((HEIGHT, WIDTH), np.float32)
    heatmap[row, column] = 0.75
    assert find_peaks(heatmap, 0.1) == [(column, row, 0.75)]


def test_the_centre_of_a_gaussian_is_found_inside_and_at_borders() -> None:
    """All maps at once: Gaussians of four widths on six cells, each a little beside its cell's centre."""
    cells = [(20, 15), (0, 15), (WIDTH - 1, 15), (20, 0), (20, HEIGHT - 1), (0, 0)]
    shifts = product((-0.5, -0.3, -0.1, 0.0, 0.25, 0.45), (-0.4, 0.0, 0.2))
    cases = [(x + dx, y + dy, sigma) for (x, y), (dx, dy), sigma in product(cells, shifts, (0.8, 1.0, 1.75, 2.5))]
    found = peaks_of_each(np.stack([gaussian(*case) for case in cases]), DEFAULT_THRESHOLD)
    assert [len(peaks) for peaks in found] == [1] * 432
    np.testing.assert_allclose([peak[:2] for [peak] in found], [case[:2] for case in cases], rtol=0, atol=0.001)


def test_a_gaussian_on_a_background_is_found_to_a_twentieth_of_a_cell() -> None:
    for dx in np.linspace(-0.5, 0.5, 11):
        (peak,) = find_peaks(gaussian(20 + dx, 15, 1.0) * np.float32(0.8) + np.float32(0.02), DEFAULT_THRESHOLD)
        assert peak.x == pytest.approx(20 + dx, abs=0.05)


@pytest.mark.parametrize("width", [1, 2])
def test_on_a_map_too_narrow_for_a_parabola_a_peak_is_its_cell(width: int) -> None:
    heatmap = np.full((9, width), 0.1, np.float32)
    heatmap[4, width - 1] = 0.8
    assert find_peaks(heatmap, 0.5) == [(width - 1, 4, np.float32(0.8))]


def test_of_two_peaks_across_a_corner_the_higher_is_one() -> None:
    heatmap = np.zeros((HEIGHT, WIDTH), np.float32)
    heatmap[4, 5], heatmap[5, 6] = 0.5, 0.75
    assert [(round(float(x)), round(float(y))) for x, y, _ in find_peaks(heatmap, 0.1)] == [(6, 5)]


def test_a_score_is_never_above_one() -> None:
    heatmap = np.zeros((HEIGHT, WIDTH), np.float32)
    heatmap[4, 5], heatmap[9, 9] = 1.25, np.inf
    assert [peak.score for peak in find_peaks(heatmap, 0.1)] == [1, 1]


def test_what_is_not_a_number_is_no_peak() -> None:
    heatmap = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    assert find_peaks(heatmap, 0.0) == []


@pytest.mark.parametrize(("columns", "rows"), [(2, 1), (1, 2), (2, 2)])
def test_a_plateau_is_one_peak_in_its_middle(columns: int, rows: int) -> None:
    heatmap = np.zeros((HEIGHT, WIDTH), np.float32)
    heatmap[6 : 6 + rows, 9 : 9 + columns] = 0.5
    assert find_peaks(heatmap, 0.1) == [(9 + (columns - 1) / 2, 6 + (rows - 1) / 2, 0.5)]


def test_two_gaussians_are_two_peaks_row_by_row() -> None:
    peaks = find_peaks(np.maximum(gaussian(30, 5), gaussian(8, 20)), DEFAULT_THRESHOLD)
    assert [peak[:2] for peak in peaks] == [pytest.approx((30, 5), abs=0.001), pytest.approx((8, 20), abs=0.001)]


@pytest.mark.parametrize("threshold", [DEFAULT_THRESHOLD, 0.5, 1.0])
def test_a_score_of_exactly_the_threshold_counts_and_one_below_does_not(threshold: float) -> None:
    heatmap = np.zeros((HEIGHT, WIDTH), np.float32)
    heatmap[4, 5] = threshold
    assert [peak[:2] for peak in find_peaks(heatmap, threshold)] == [(5, 4)]
    heatmap[4, 5] = np.nextafter(np.float32(threshold), np.float32(0))
    assert len(find_peaks(heatmap, threshold)) == 0


# find_connections


def test_two_gaussians_and_a_constant_field_are_one_limb_at_these_peaks() -> None:
    start, end = gaussian(10, 12), gaussian(22, 12)
    starts, ends = find_peaks(start, DEFAULT_THRESHOLD), find_peaks(end, DEFAULT_THRESHOLD)
    connections = find_connections(starts, ends, constant_field(1, 0))
    assert pairs(connections) == [(0, 0)]
    assert scores(connections) == pytest.approx([1.0])


def test_the_score_is_the_fields_projection_on_the_limb() -> None:
    (connection,) = find_connections(peaks_at((10, 12)), peaks_at((13, 16)), constant_field(0.5, 0.25))
    assert connection.score == pytest.approx(0.5 * 3 / 5 + 0.25 * 4 / 5)


@pytest.mark.parametrize(
    "field", [(-1, 0), (0, 1), (0, -1), (0, 0)], ids=["opposite", "perpendicular", "other_perpendicular", "none"]
)
def test_a_field_that_does_not_point_along_the_limb_makes_none(field: tuple[float, float]) -> None:
    assert find_connections(peaks_at((10, 12)), peaks_at((22, 12)), constant_field(*field)) == []


@pytest.mark.parametrize("length", [9, 12, 15])
def test_a_limb_whose_field_misses_the_middle_third_is_none(length: int) -> None:
    field = constant_field(1, 0)
    field[:, :, 10 + length // 3 : 10 + length - length // 3] = 0
    assert find_connections(peaks_at((10, 12)), peaks_at((10 + length, 12)), field) == []


def test_two_of_the_ten_samples_may_miss_the_field_but_not_three() -> None:
    field = constant_field(1, 0)
    field[:, :, 11:13] = 0  # the limb spans 9 cells, so that each of its ten cells is a sample
    connections = find_connections(peaks_at((10, 12)), peaks_at((19, 12)), field)
    assert pairs(connections) == [(0, 0)]
    assert scores(connections) == pytest.approx([0.8])
    field[:, :, 13] = 0
    assert find_connections(peaks_at((10, 12)), peaks_at((19, 12)), field) == []


def test_the_middle_must_support_a_limb() -> None:
    field = constant_field(1, 0)
    field[:, :, 15] = 0  # 14.5 is rounded up
    assert find_connections(peaks_at((10, 12)), peaks_at((19, 12)), field) == []


def test_the_score_counts_the_ends_scores_too() -> None:
    start, end = peaks_at((10, 12), (19, 12))
    (connection,) = find_connections(
        [start._replace(score=np.float32(0.25))], [end._replace(score=np.float32(0.36))], constant_field(1, 0)
    )
    assert connection.score == pytest.approx(0.3)


def test_the_field_is_looked_up_in_the_nearest_cell() -> None:
    field = constant_field(0, 0)
    field[0, 13] = 1
    assert pairs(find_connections(peaks_at((10, 12.6)), peaks_at((22, 12.6)), field)) == [(0, 0)]
    assert find_connections(peaks_at((10, 12.4)), peaks_at((22, 12.4)), field) == []


def test_two_keypoints_in_the_same_place_are_no_limb() -> None:
    assert find_connections(peaks_at((10, 12)), peaks_at((10, 12)), constant_field(1, 0)) == []


@pytest.mark.parametrize("starts", [((10, 12), (10, 17)), ((10, 17), (10, 12))], ids=["first", "second"])
def test_of_two_starts_the_surer_one_gets_the_only_end(starts: tuple[tuple[int, int], ...]) -> None:
    connections = find_connections(peaks_at(*starts), peaks_at((20, 12)), constant_field(1, 0))
    assert pairs(connections) == [(starts.index((10, 12)), 0)]


@pytest.mark.parametrize("ends", [((20, 12), (20, 17)), ((20, 17), (20, 12))], ids=["first", "second"])
def test_of_two_ends_the_surer_one_gets_the_only_start(ends: tuple[tuple[int, int], ...]) -> None:
    connections = find_connections(peaks_at((10, 12)), peaks_at(*ends), constant_field(1, 0))
    assert pairs(connections) == [(0, ends.index((20, 12)))]


def test_each_keypoint_is_used_once_and_the_surest_limb_comes_first() -> None:
    # Straight to its own end, the second start is the surest; the first one's limb rises by two cells.
    connections = find_connections(peaks_at((10, 6), (10, 12)), peaks_at((20, 12), (20, 8)), constant_field(1, 0))
    assert pairs(connections) == [(1, 0), (0, 1)]
    assert connections[0].score == pytest.approx(1.0)
    assert connections[1].score == pytest.approx(10 / math.hypot(10, 2))


@pytest.mark.parametrize(("starts", "ends"), [(0, 1), (1, 0), (0, 0)])
def test_without_keypoints_there_is_no_limb(starts: int, ends: int) -> None:
    some, others = peaks_at((10, 12)), peaks_at((15, 12))
    assert find_connections(some if starts else [], others if ends else [], constant_field(1, 0)) == []


# group_people


def test_limbs_that_share_a_keypoint_are_one_person() -> None:
    connections = joined(
        ("neck", 0, "right_shoulder", 1), ("right_shoulder", 1, "right_elbow", 2), ("neck", 0, "nose", 3)
    )
    assert people_in(connections) == [{"neck": 0, "right_shoulder": 1, "right_elbow": 2, "nose": 3}]


def test_limbs_that_share_none_are_two_people() -> None:
    connections = joined(("neck", 0, "right_shoulder", 0), ("neck", 1, "right_shoulder", 1))
    assert people_in(connections) == [{"neck": 0, "right_shoulder": 0}, {"neck": 1, "right_shoulder": 1}]


def test_two_half_people_are_united_by_a_later_limb() -> None:
    connections = joined(
        ("neck", 0, "right_shoulder", 0), ("nose", 0, "right_eye", 0), ("right_eye", 0, "right_ear", 0)
    )
    assert len(people_in(connections)) == 2
    connections[[(limb.start, limb.end) for limb in LIMBS].index(("right_shoulder", "right_ear"))].append(
        Connection(0, 0, 1.0)
    )
    assert people_in(connections) == [{"neck": 0, "right_shoulder": 0, "nose": 0, "right_eye": 0, "right_ear": 0}]


def test_two_people_who_share_a_keypoint_type_stay_two_though_a_limb_joins_them() -> None:
    connections = joined(
        ("neck", 0, "right_shoulder", 0),
        ("neck", 1, "nose", 0),
        ("nose", 0, "right_eye", 0),
        ("right_eye", 0, "right_ear", 0),
        ("right_shoulder", 0, "right_ear", 0),
    )
    assert people_in(connections) == [
        {"neck": 0, "right_shoulder": 0},
        {"neck": 1, "nose": 0, "right_eye": 0, "right_ear": 0},
    ]


def test_a_keypoint_that_a_person_has_already_stays_as_it_is() -> None:
    connections = joined(
        ("neck", 0, "right_shoulder", 0),
        ("neck", 0, "nose", 0),
        ("nose", 0, "right_eye", 0),
        ("right_eye", 0, "right_ear", 0),
        ("right_shoulder", 0, "right_ear", 1),
    )
    assert people_in(connections) == [{"neck": 0, "right_shoulder": 0, "nose": 0, "right_eye": 0, "right_ear": 0}]


@pytest.mark.parametrize("side", ["right", "left"])
def test_shoulder_to_ear_founds_nobody(side: str) -> None:
    assert people_in(joined((f"{side}_shoulder", 0, f"{side}_ear", 0))) == []


@pytest.mark.parametrize("side", ["right", "left"])
def test_shoulder_to_ear_joins_a_person_who_is_there(side: str) -> None:
    connections = joined(("neck", 0, f"{side}_shoulder", 1), (f"{side}_shoulder", 1, f"{side}_ear", 2))
    assert people_in(connections) == [{"neck": 0, f"{side}_shoulder": 1, f"{side}_ear": 2}]


def test_no_limbs_are_no_people() -> None:
    assert people_in(no_limbs()) == []


@pytest.mark.parametrize("limb", [limb for limb in LIMBS if limb.longest < math.inf], ids=lambda limb: limb.end)
def test_a_limb_joins_a_person_as_long_as_it_can_be_but_no_longer(limb: FieldLimb) -> None:
    """The torso is 100 cells long; from the neck to the limb's start everything is in one place."""
    hip = "left_hip" if limb.start.startswith("right") else "right_hip"
    way = [(limb.start, 0, limb.end, 0)]
    while way[0][0] != "neck":
        (inner,) = [other for other in LIMBS if other.end == way[0][0] and other.drawn]
        way.insert(0, (inner.start, 0, inner.end, 0))
    for share, joins in ((0.99, True), (1.01, False)):
        peaks = [peaks_at(*[(0, 0)] * 10) for _ in KEYPOINTS]
        peaks[KEYPOINTS.index(hip)][0] = peaks_at((0, 100))[0]
        peaks[limb.end_id][0] = peaks_at((100 * limb.longest * share, 0))[0]
        (person,) = group_people(joined(("neck", 0, hip, 0), *way), peaks)
        assert (limb.end_id in person) == joins


# decode


def test_keypoints_are_the_centres_of_their_cells_in_frame_pixels() -> None:
    (pose,) = decode(*painted(WHOLE_PERSON))
    expected = [
        ((column + 0.5) * 7.5, (row + 0.5) * 9.0, 1.0) for column, row in (WHOLE_PERSON[name] for name in KEYPOINTS)
    ]
    assert pose.keypoints == pytest.approx(np.array(expected), abs=1e-3)
    assert pose.keypoints.shape == (18, 3)
    assert pose.keypoints.dtype == np.float32


def test_two_people_side_by_side_stay_two_with_each_keypoint_right() -> None:
    left, right = WHOLE_PERSON, moved(WHOLE_PERSON, 18)
    poses = sorted(decode(*painted(left, right)), key=lambda pose: pose.keypoints[0, 0])
    assert [found(pose) for pose in poses] == [close_to(left), close_to(right)]


def test_people_are_found_whatever_the_order_of_their_keypoints_on_the_maps() -> None:
    """Peaks come row by row: one person's head above the other's, but their feet the other way round."""
    tall = {name: (column, row) if row < 16 else (column, row + 3) for name, (column, row) in WHOLE_PERSON.items()}
    short = {name: (column + 18, row + 1) for name, (column, row) in WHOLE_PERSON.items()}
    poses = sorted(decode(*painted(tall, short)), key=lambda pose: pose.keypoints[0, 0])
    assert [found(pose) for pose in poses] == [close_to(tall), close_to(short)]


def lacking(person: Cells, *names: str) -> dict[str, tuple[int, int]]:
    return {name: cell for name, cell in person.items() if name not in names}


@pytest.mark.parametrize(("start", "end"), [("nose", "right_eye"), ("right_eye", "right_ear")])
def test_a_field_to_the_neighbours_head_makes_no_limb(start: str, end: str) -> None:
    """The neighbour is 3 widths of a head away; the field runs from this one's nose or eye to that one's eye or ear."""
    beyond = ["right_eye", "right_ear"][["nose", "right_eye"].index(start) :]
    left, right = lacking(WHOLE_PERSON, *beyond), lacking(moved(WHOLE_PERSON, 12), start)
    for elbow_or_wrist in ("left_elbow", "left_wrist"):  # in the way of the other's
        del left[elbow_or_wrist]
    maps = painted(left, right)
    (limb,) = [limb for limb in LIMBS if (limb.start, limb.end) == (start, end)]
    paint_field(maps[1][limb.paf[0] : limb.paf[1] + 1], left[start], right[end])
    poses = sorted(decode(*maps), key=lambda pose: pose.keypoints[KEYPOINTS.index("neck"), 0])
    assert [found(pose) for pose in poses] == [close_to(left), close_to(right)]


@pytest.mark.parametrize(("ear", "is_near"), [((7, 4), True), ((4, 3), False)])
def test_an_ear_that_only_the_shoulder_joins_must_be_near_the_eye(ear: tuple[int, int], is_near: bool) -> None:
    """The shoulders, 6 cells wide, are those of a torso of 10, so that the ear may be 3.2 cells from the eye."""
    person = WHOLE_PERSON | {"right_ear": ear}
    maps = painted(person)
    erase_limb(maps, "right_eye", "right_ear")
    (pose,) = decode(*maps)
    assert found(pose) == close_to(person if is_near else lacking(person, "right_ear"))


NEAR_FACE = {"nose": (20, 12), "right_eye": (16, 8), "left_eye": (24, 8), "right_ear": (11, 10), "left_ear": (29, 10)}
PROFILE = {"nose": (12, 12), "right_eye": (13, 10), "left_eye": (15, 9), "left_ear": (24, 11), "right_ear": (14, 12)}


@pytest.mark.parametrize(
    "person",
    [NEAR_FACE | {"neck": (20, 24), "right_shoulder": (6, 30), "left_shoulder": (34, 30)}, NEAR_FACE, PROFILE],
    ids=["head_and_shoulders", "head", "head_from_the_side"],
)
def test_a_face_that_fills_the_picture_stays_whole(person: Cells) -> None:
    (pose,) = decode(*painted(person))
    assert found(pose) == close_to(person)


def test_a_head_that_is_too_large_for_a_body_is_not_its_own() -> None:
    """The shoulder's field leads to the ear of another head, which is cut off from its own body."""
    body = lacking(PERSON, "nose")
    head = {name: (column + 5, row - 6) for name, (column, row) in NEAR_FACE.items()}
    maps = painted(body, head)
    limb = LIMBS[-2]
    assert (limb.start, limb.end) == ("right_shoulder", "right_ear")
    paint_field(maps[1][limb.paf[0] : limb.paf[1] + 1], body["right_shoulder"], head["right_ear"])
    assert [found(pose) for pose in decode(*maps)] == [close_to(body), close_to(head)]


def test_a_head_without_neck_field_is_united_with_its_body_by_shoulder_and_ear() -> None:
    maps = painted(WHOLE_PERSON)
    erase_limb(maps, "neck", "nose")
    (pose,) = decode(*maps)
    assert found(pose) == close_to(WHOLE_PERSON)
    for side in ("right", "left"):
        erase_limb(maps, f"{side}_shoulder", f"{side}_ear")
    assert len(decode(*maps)) == 2


@pytest.mark.parametrize("least", [1, 2, 3, 5, 18])
def test_fewer_keypoints_than_the_least_are_no_person(least: int) -> None:
    whole = list(WHOLE_PERSON.items())
    assert decode(*painted(dict(whole[: max(least, 2)])), min_keypoints=least) != []
    assert decode(*painted(dict(whole[: least - 1])), min_keypoints=least) == []


def test_missing_keypoints_are_nan_in_all_three() -> None:
    arm = {name: PERSON[name] for name in RIGHT_ARM}
    (pose,) = decode(*painted(arm))
    missing = [name not in arm for name in KEYPOINTS]
    assert np.isnan(pose.keypoints).tolist() == [[is_missing] * 3 for is_missing in missing]


def test_the_score_is_that_of_the_limbs_over_their_number() -> None:
    maps = painted({name: PERSON[name] for name in RIGHT_ARM})
    (pose,) = decode(*maps)
    assert pose.score == pytest.approx(4 / len(LIMBS))
    maps[0][KEYPOINTS.index("right_wrist")] *= 0.25
    (pose,) = decode(*maps)
    assert pose.score == pytest.approx(3.5 / len(LIMBS))


def test_a_person_whose_limbs_are_hardly_seen_is_none() -> None:
    maps = painted(PERSON)
    for strength, people in ((0.06, 1), (0.04, 0)):
        assert len(decode(maps[0], maps[1] * np.float32(strength))) == people


@pytest.mark.parametrize("scores", [(0.25, 0.75, 0.5), (0.75, 0.5, 0.25), (0.25, 0.5, 0.75)])
def test_the_surest_pose_is_first(scores: tuple[float, ...]) -> None:
    maps = blank()
    for number, score in enumerate(scores):
        paint(maps, moved({name: PERSON[name] for name in RIGHT_ARM}, 12 * number), score)
    poses = decode(*maps)
    assert [pose.score for pose in poses] == pytest.approx([score * 4 / len(LIMBS) for score in (0.75, 0.5, 0.25)])
    assert [found(pose)["neck"][0] for pose in poses] == pytest.approx(
        [PERSON["neck"][0] + 12 * scores.index(score) for score in (0.75, 0.5, 0.25)], abs=1e-4
    )


def test_the_threshold_decides_who_is_seen() -> None:
    maps = blank()
    paint(maps, PERSON, 0.5)
    assert len(decode(*maps, threshold=0.5)) == 1
    assert decode(*maps, threshold=0.51) == []


@pytest.mark.parametrize("threshold", [0.0, DEFAULT_THRESHOLD])
@pytest.mark.parametrize(("height", "width"), [(HEIGHT, WIDTH), (1, 1), (1, WIDTH), (HEIGHT, 1)])
def test_empty_maps_hold_nobody(height: int, width: int, threshold: float) -> None:
    assert decode(*blank(height, width), threshold=threshold) == []


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 24), (24, 1), (2, 2), (10, 13)])
def test_noise_raises_nothing_and_gives_poses_within_the_frame(height: int, width: int) -> None:
    random = np.random.default_rng(height * 100 + width)
    for _ in range(3):
        heatmaps = random.uniform(-0.1, 1, (HEATMAP_CHANNELS, height, width)).astype(np.float32)
        pafs = random.uniform(-1, 1, (PAF_CHANNELS, height, width)).astype(np.float32)
        for pose in decode(heatmaps, pafs, threshold=0.3):
            keypoints = pose.keypoints[np.isfinite(pose.keypoints[:, 0])]
            assert len(keypoints) >= DEFAULT_MIN_KEYPOINTS
            assert (keypoints[:, 2] >= np.float32(0.3)).all()
            assert (keypoints[:, :2] >= 0).all()
            assert (keypoints[:, :2] <= np.multiply(PIXELS_PER_CELL, (width, height))).all()


def test_noise_has_no_keypoint_in_two_people() -> None:
    random = np.random.default_rng(7)
    heatmaps = random.uniform(0, 1, (HEATMAP_CHANNELS, 16, 20)).astype(np.float32)
    pafs = random.uniform(-0.2, 1, (PAF_CHANNELS, 16, 20)).astype(np.float32)
    poses = decode(heatmaps, pafs)
    assert len(poses) > 5
    for part in range(len(KEYPOINTS)):
        places = [tuple(pose.keypoints[part, :2]) for pose in poses if np.isfinite(pose.keypoints[part, 0])]
        assert len(set(places)) == len(places)


def test_the_maps_stay_as_they_are() -> None:
    maps = painted(WHOLE_PERSON, moved(WHOLE_PERSON, 18))
    before = [array.copy() for array in maps]
    for array in maps:
        array.flags.writeable = False
    assert len(decode(*maps)) == 2
    assert all(np.array_equal(array, old) for array, old in zip(maps, before, strict=True))


SHAPES = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (1, 9), (9, 1), (4, 6), (5, 4), (4, 4)]


@pytest.mark.parametrize("seed", range(10))
def test_random_fields_are_decoded_to_the_same_poses_one_by_one_and_at_once(seed: int) -> None:
    """A hundred of each seed; rounded ones are full of ties, those of zeros and ones of plateaus."""
    random = np.random.default_rng(seed)
    people = 0
    for number in range(100):
        height, width = SHAPES[number % len(SHAPES)]
        heatmaps = random.uniform(-0.2, 1, (HEATMAP_CHANNELS, height, width)).astype(np.float32)
        pafs = random.uniform(-0.3, 1, (PAF_CHANNELS, height, width)).astype(np.float32)
        if number % 3 == 1:
            heatmaps, pafs = (np.round(maps * n) / np.float32(n) for maps, n in ((heatmaps, 4), (pafs, 2)))
        elif number % 3 == 2:
            heatmaps, pafs = (heatmaps > 0.8).astype(np.float32), (pafs > 0.3).astype(np.float32)
        people += len(decode(heatmaps, pafs, threshold=float(random.choice([0, 0.5, 0.8])), min_keypoints=2))
    assert people > 100


@pytest.mark.parametrize("count", [1, 6, 25])
def test_blurred_crowds_are_decoded_to_the_same_poses(count: int) -> None:
    """Round peaks and broad fields, as a network gives them."""
    random = np.random.default_rng(count)
    maps = blank(60, 120)
    for _ in range(count):
        scale = random.uniform(0.4, 1.5)
        x, y = random.uniform(0, 100), random.uniform(0, 25)
        cells = {name: (round(x + scale * column), round(y + scale * row)) for name, (column, row) in PERSON.items()}
        paint(maps, {name: cell for name, cell in cells.items() if cell[0] < 120 and cell[1] < 60})
    blurred = [np.stack([cv2.GaussianBlur(channel, (0, 0), 1.2) for channel in array]) for array in maps]
    assert len(decode(blurred[0] * 6, blurred[1] * 1.2, min_keypoints=2)) >= min(count, 3)


def test_a_frame_that_is_not_in_the_corner_of_the_input_is_found_in_its_own_pixels() -> None:
    heatmaps, pafs = painted(WHOLE_PERSON)
    outputs = {"heatmaps": heatmaps, "pafs": pafs}
    [inside] = fast.OpenPoseDecoder().decode(outputs, (2.0, 3.0))
    [shifted] = fast.OpenPoseDecoder().decode(outputs, (2.0, 3.0), (8, 16))
    np.testing.assert_allclose(shifted.keypoints[:, :2], inside.keypoints[:, :2] - [16, 48], atol=1e-4)
    assert np.array_equal(shifted.keypoints[:, 2], inside.keypoints[:, 2], equal_nan=True)
