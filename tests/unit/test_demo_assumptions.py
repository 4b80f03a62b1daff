"""Everything that the shipped campaign's comments call assumed is told as such, and nothing else."""

import re

from deploy.demo_data.files import load_bytes, load_yaml
from deploy.demo_data.honghe import assumed_values, honghe_definition, value_at
from services.issuance.campaigns.schemas import Definition

_COMMENT = re.compile(r"#\s*((?:[^#]*\b)?assumed\b[^#]*)$")


def test_each_comment_that_says_assumed_has_its_paths() -> None:
    lines = load_bytes("honghe-2020/campaign.yaml").decode().splitlines()
    said = [
        match[1].strip() for line in lines if not line.startswith("#") and (match := _COMMENT.search(line))
    ]
    assert said == [entry["comment"] for entry in load_yaml("honghe-2020/assumed.yaml")]


def test_the_definition_with_its_assumptions_is_sound() -> None:
    definition = honghe_definition()
    del definition["institution_directory"]
    body = Definition.model_validate(definition)
    assert body.assumed is not None
    assert len(body.assumed) == len(set(body.assumed)) > 30
    # The odds of the first phase are published: 抽奖概率仅设定为 20%.
    assert "phases.1.odds" not in body.assumed
    assert "phases.2.odds" in body.assumed


def test_figures_are_told_with_what_they_are() -> None:
    told = dict(assumed_values())
    assert told["出资比例 payers' shares"].startswith("prefecture_treasury: share 0.40; ")
    assert told["第二期中奖率 odds of phase 2"] == "0.4"
    assert value_at(honghe_definition(), "phases.2.quiz")["pass_score"] == 60
