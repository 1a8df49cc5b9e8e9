"""The page on which an admin key opens the console: plain HTML, so that it needs no session."""

from __future__ import annotations

from html import escape

from huaxiang.console.session import HOME
from huaxiang.console.words import word

_PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>
 body {{ font-family: system-ui, "Noto Sans CJK SC", sans-serif; min-height: 95vh }}
 body {{ display: grid; place-items: center }}
 form {{ display: grid; gap: 12px; width: min(320px, 86vw) }}
 input, button {{ font: inherit; padding: 10px; border-radius: 8px; border: 1px solid #8a8f98 }}
 button {{ background: #2f7d6d; color: white; border: 0; cursor: pointer }}
 :focus-visible {{ outline: 3px solid #2f7d6d; outline-offset: 2px }}
 [role=alert] {{ color: #b4534b }}
</style>
<form method="post" action="{home}/sign-in">
 <h1>{title}</h1>{refused}
 <label for="key">{key}</label>
 <input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
 <button>{enter}</button>
</form>
"""


def sign_in_page(language: str, *, is_refused: bool = False) -> str:
    """Return the page in one language.

    Examples
    --------
    >>> "管理密钥" in sign_in_page("zh")
    True
    """
    refused = f"<p role=alert>{escape(word('refused', language))}</p>" if is_refused else ""
    return _PAGE.format(
        language="zh-CN" if language == "zh" else "en",
        title=escape(word("title", language)),
        key=escape(word("admin_key", language)),
        enter=escape(word("sign_in", language)),
        home=HOME,
        refused=refused,
    )
