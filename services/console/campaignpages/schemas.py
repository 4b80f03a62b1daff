"""A campaign's definition as a person sends it: a YAML or JSON file."""

import json
from typing import Any

import yaml
from fastapi import UploadFile
from typing_extensions import override

from services.console.campaignpages.errors import DefinitionUnreadable
from shared.errors import Fault

# A definition of a prefecture has some hundred lines.
_BYTES_MAX = 500_000
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """Plain values only. Times stay text, and nothing refers to anything: a short file cannot grow huge."""

    @override
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "别名（*）不可用", self.peek_event().start_mark)  # type: ignore[no-untyped-call] # untyped in the stubs
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, form) for tag, form in resolvers if tag != _TIMESTAMP]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


async def definition_in(file: UploadFile | None) -> dict[str, Any]:
    """Raises DefinitionUnreadable, with the line where reading ended."""
    content = await file.read(_BYTES_MAX + 1) if file is not None else b""
    if not content.strip() or len(content) > _BYTES_MAX:
        raise DefinitionUnreadable("文件为空或过大。" if file else "请选择文件。")
    try:
        text = content.decode("utf-8-sig")
        loaded = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
        json.dumps(loaded)
    except UnicodeDecodeError as error:
        raise DefinitionUnreadable("文件须为 UTF-8 编码。") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"第 {mark.line + 1} 行第 {mark.column + 1} 列" if mark else "文件"
        fault = Fault(place, str(error.problem), "yaml")
        raise DefinitionUnreadable(f"{place}：{error.problem}。", faults=(fault,)) from error
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise DefinitionUnreadable from error
    if not isinstance(loaded, dict):
        raise DefinitionUnreadable("文件内容应为一个活动的各项定义。")
    return {str(key): value for key, value in loaded.items()}
