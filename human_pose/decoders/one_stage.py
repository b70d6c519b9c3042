"""The outputs of one-stage networks -> the poses of all people in the frame.

Such a network gives whole people, each with its score and all its keypoints; no limbs are put together. It gives either
candidates, many of them for each person, of which non-maximum suppression keeps one, or people, each of them once.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..poses.pose import Pose
from ..poses.skeleton import COCO_SKELETON, Skeleton
from .decoder import Outputs

DEFAULT_THRESHOLD = 0.25  # minimum score of a person
DEFAULT_MIN_KEYPOINTS = 1  # of a person; the person's own score decides, and half a person is one, too
KEYPOINT_THRESHOLD = 0.5  # the network's score of a keypoint is its chance to be visible or at least known
EVALUATION_THRESHOLD = 0.01  # of a person, for AP: precision is taken at every score
MAX_IOU = 0.65  # of the boxes of two people; what overlaps more is the same person
MAX_CANDIDATES = 3000  # a network that sees people everywhere must not stop the picture
BOX = 4  # the rows of the box: centre x, centre y, width, height in pixels of the input
COMPARED_SCORES = 100  # the highest ones; nearly all others are 0 and would hide a difference


@dataclass(frozen=True)
class OneStageDecoder:
    """Decodes candidates or people; see `decoder.Decoder`.

    candidates: (4 + classes + K * values, n) float32, in the rows a box, the score of each class, and the keypoints,
    each x, y and, with 3 values, its score. people: two outputs, `scores` (n,) and `keypoints` (n, K, values) float32.
    Boxes and keypoints are in pixels of the network's input, all scores in 0..1.

    has_candidates: which of the two. threshold: minimum score of a person; keypoint_threshold: minimum score of a
    keypoint; one below it counts as not found. A keypoint without a score of its own has the person's. max_iou: of the
    boxes of two people among candidates.
    """

    has_candidates: bool
    skeleton: Skeleton = COCO_SKELETON
    classes: int = 1
    values: int = 3
    threshold: float = DEFAULT_THRESHOLD
    min_keypoints: int = DEFAULT_MIN_KEYPOINTS
    keypoint_threshold: float = KEYPOINT_THRESHOLD
    max_iou: float = MAX_IOU

    @property
    def output_names(self) -> tuple[str, ...]:
        return ("candidates",) if self.has_candidates else ("scores", "keypoints")

    def with_limits(self, threshold: float | None = None, min_keypoints: int | None = None) -> "OneStageDecoder":
        threshold = self.threshold if threshold is None else threshold
        return replace(self, threshold=threshold, min_keypoints=min_keypoints or self.min_keypoints)

    def for_evaluation(self) -> "OneStageDecoder":
        return replace(self, threshold=EVALUATION_THRESHOLD, keypoint_threshold=0.0)

    def decode(
        self,
        outputs: Outputs,
        frame_pixels: tuple[float, float] = (1.0, 1.0),
        origin: tuple[float, float] = (0.0, 0.0),
    ) -> list[Pose]:
        scores, keypoints = self._from_candidates(outputs) if self.has_candidates else self._from_people(outputs)
        points = np.empty((len(scores), len(self.skeleton.keypoints), 3), np.float32)
        points[..., :2] = (keypoints[..., :2] - np.array(origin, np.float32)) * np.array(frame_pixels, np.float32)
        if self.values == 3:
            points[..., 2] = keypoints[..., 2]
            if self.keypoint_threshold > 0:
                points[points[..., 2] < self.keypoint_threshold] = np.nan
        else:
            points[..., 2] = scores[:, None]
        enough = (points[..., 0] == points[..., 0]).sum(1) >= self.min_keypoints  # NaN is not equal to itself
        return [
            Pose(self.skeleton, found, score)
            for found, score, is_enough in zip(points, scores.tolist(), enough.tolist(), strict=True)
            if is_enough
        ]

    def signal(self, outputs: Outputs) -> Outputs:
        return outputs

    def quantities(self, outputs: Outputs) -> Outputs:
        if self.has_candidates:
            candidates = outputs["candidates"]
            scores = self._scores(candidates)
            keypoints = candidates[BOX + self.classes :].T.reshape(
                len(scores), len(self.skeleton.keypoints), self.values
            )
            pixels = np.concatenate([candidates[:BOX].T, keypoints[..., 0], keypoints[..., 1]], 1)
        else:
            scores, keypoints = outputs["scores"], outputs["keypoints"]
            pixels = keypoints[..., :2]
        weights = scores / max(float(scores.sum()), 1e-6)
        if not self.has_candidates:  # sorted by score: of two people alike either may come first, so the mean is taken
            pixels = np.tensordot(weights, pixels, 1)
        highest = np.zeros(COMPARED_SCORES, np.float32)
        best = -np.sort(-scores)[:COMPARED_SCORES]
        highest[: len(best)] = best
        parts = {"scores": highest, "pixels": pixels}
        if self.values == 3:
            parts["keypoint scores"] = np.tensordot(weights, keypoints[..., 2], 1)
        return parts

    def _scores(self, candidates: np.ndarray) -> np.ndarray:
        """The score of each candidate, (n,): that of its likeliest class."""
        scores: np.ndarray = candidates[BOX] if self.classes == 1 else candidates[BOX : BOX + self.classes].max(0)
        return scores

    def _from_candidates(self, outputs: Outputs) -> tuple[np.ndarray, np.ndarray]:
        """The people among the candidates, the highest score first: scores (m,), keypoints (m, K, values)."""
        candidates = outputs["candidates"]
        scores = self._scores(candidates)
        likely = np.flatnonzero(scores >= self.threshold)  # first, because nearly all candidates are nobody
        candidates, scores = candidates.take(likely, 1).T, scores.take(likely)
        if len(likely) > 1:
            corners = candidates[:, :2] - candidates[:, 2:BOX] / 2
            boxes = np.concatenate([corners, candidates[:, 2:BOX]], 1).tolist()  # it reads lists faster than arrays
            kept = cv2.dnn.NMSBoxes(boxes, scores.tolist(), 0.0, self.max_iou, top_k=MAX_CANDIDATES)
            candidates, scores = candidates[kept], scores[kept]
        keypoints = candidates[:, BOX + self.classes :].reshape(len(scores), len(self.skeleton.keypoints), self.values)
        return scores, keypoints

    def _from_people(self, outputs: Outputs) -> tuple[np.ndarray, np.ndarray]:
        """The people, the highest score first: scores (m,), keypoints (m, K, values)."""
        scores = outputs["scores"]
        likely = np.flatnonzero(scores >= self.threshold)
        likely = likely[np.argsort(-scores[likely], kind="stable")]
        return scores[likely], outputs["keypoints"][likely]
