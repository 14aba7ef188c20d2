"""Which policies of a page let our script run."""

import pytest
from quart_cli.content_policy import script_attributes


@pytest.mark.parametrize(
    ("policies", "attributes"),
    [
        ([], ""),
        (["img-src 'none'"], ""),
        (["default-src 'self'"], ""),
        (["default-src 'SELF' https://cdn.example"], ""),
        (["default-src 'none'; script-src *; connect-src *"], ""),
        (["script-src 'self'; connect-src 'self'; default-src 'none'"], ""),
        (["script-src 'nonce-aB3='; connect-src 'self'"], ' nonce="aB3="'),
        (["script-src 'nonce-a' 'strict-dynamic'"], ' nonce="a"'),
        (["script-src-elem 'self'; script-src 'none'"], ""),
        (["default-src 'self', img-src 'self'", "script-src 'self'"], ""),
        (["default-src 'none'"], None),
        (["script-src 'none'"], None),
        (["script-src 'self'; connect-src 'none'"], None),
        (["script-src 'self' 'strict-dynamic'"], None),
        (["script-src 'self'; script-src *; connect-src https://api.example"], None),
        (["script-src https://cdn.example"], None),
        (["script-src 'sha256-abc='"], None),
        (["default-src 'self'", "script-src 'none'"], None),
        (["sandbox"], None),
        (["script-src 'nonce-a'", "script-src 'nonce-b'"], None),
        (["script-src 'nonce-\"><b>'"], None),
    ],
)
def test_the_script_runs_only_where_all_policies_allow_it(
    policies: list[str], attributes: str | None
) -> None:
    assert script_attributes(policies) == attributes
