"""Errors of the SDK.

SpanledgerError
├── CallRefused      a rule that the owner switched on refused a call before it left; nothing was sent
└── SettingsError    a setting names something that cannot work; the message names the key and the value
"""

from __future__ import annotations

__all__ = ["CallRefused", "SettingsError", "SpanledgerError"]


class SpanledgerError(Exception):
    """Base of every error that spanledger raises on its own account."""


class SettingsError(SpanledgerError):
    """A setting cannot work. Says which key, which value and what would."""


class CallRefused(SpanledgerError):  # noqa: N818 - a decision, not a failure
    """A rule that the owner switched on refused a call. Nothing was sent, so nothing is billed.

    What is raised is an error of the client as well (`openai.OpenAIError`, `anthropic.AnthropicError`).
    """
