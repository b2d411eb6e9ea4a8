"""How well methods segment what they were not trained on, and how long a change of annotations takes them."""

from guidenet.evaluation.evaluation import Evaluation
from guidenet.evaluation.methods import FineTuned, Guided, Method, Sharpened
from guidenet.evaluation.shots import Halves, choose_threshold, evaluate_shots, split_classes
from guidenet.evaluation.tasks import Scores, Viewer, click_on, evaluate_tasks
from guidenet.evaluation.video import VideoScores, evaluate_clips

__all__ = [
    "Evaluation",
    "FineTuned",
    "Guided",
    "Halves",
    "Method",
    "Scores",
    "Sharpened",
    "VideoScores",
    "Viewer",
    "choose_threshold",
    "click_on",
    "evaluate_clips",
    "evaluate_shots",
    "evaluate_tasks",
    "split_classes",
]
