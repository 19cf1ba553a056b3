"""The classifiers of this plugin."""

from typing import Final

from crm.hookspecs import TicketClassifier
from plugins.tickets.classify.machines import LinearSVM, SVMTree

CLASSIFIERS: Final = (
    TicketClassifier(
        "linear-svm",
        LinearSVM,
        "each class against all others by a linear machine",
        {"C": (0.25, 1.0)},
    ),
    TicketClassifier(
        "svm-tree",
        SVMTree,
        "a tree of linear machines, which takes one class off at a time or parts them into halves",
        {"strategy": ("chain", "balanced")},
    ),
)
