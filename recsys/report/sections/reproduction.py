"""How to make the report again: command, plan, seeds, digests, versions and parameters."""

from __future__ import annotations

from recsys.report.blocks import Block, Code, Facts, Heading, Only
from recsys.report.context import ReportContext
from recsys.report.phrases import versions_line
from recsys.report.pivot import parameters
from recsys.report.section import Content, Section, register_section
from recsys.report.tables import Column, Table


def build(context: ReportContext) -> Content:
    """Return all that a reader needs to repeat the comparison."""
    blocks: list[Block] = [
        Code(context.command),
        *(Code(text, name) for name, text in context.plan.items()),
        Only("html", (Heading("Seeds, digests, versions"),)),
        Facts((*context.provenance, *versions_line(context))),
    ]
    labels, rows = parameters(context.configs)
    if rows:
        columns = (Column("parameter", ""), *(Column(label, label) for label in labels))
        values = tuple((name, *settings) for name, settings in rows)
        table = Table("Parameters of each model", columns, values, style="parameters")
        blocks += [Heading("Parameters"), table]
    return Content(
        tuple(blocks),
        record={
            "provenance": dict(context.provenance),
            "versions": dict(context.versions),
            "command": context.command,
            "plan": dict(context.plan),
        },
    )


register_section(Section("again", "How to make this again", order=80, build=build, label="Make it again"))
