"""Errors of the SDK.

SpanledgerError
└── SettingsError    a setting names something that cannot work; the message names the key and the value
"""

from __future__ import annotations

__all__ = ["SettingsError", "SpanledgerError"]


class SpanledgerError(Exception):
    """Base of every error that spanledger raises on its own account."""


class SettingsError(SpanledgerError):
    """A setting cannot work. Says which key, which value and what would."""
