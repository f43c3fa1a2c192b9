"""What the commands about networks print for people."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from pnas_searchspace import Cell
from pnas_tools._output import listed, print_table


def print_list(models: list[dict[str, Any]]) -> None:
    """A line for every file of weights, and for every network without."""
    table = Table("model", "weights", "source", box=None, pad_edge=False, collapse_padding=True)
    for name in ("pixels", "parameters", "mult-adds", "top-1", "top-5"):
        table.add_column(name, justify="right")
    for model in models:
        numbers = [str(model["image_size"]), _short(model["n_parameters"]), _short(model["n_multiply_adds"])]
        if not model["weights"]:
            table.add_row(model["name"], "none", "", *numbers, "-", "-")
        for weights in model["weights"]:
            name = weights["name"] + ("*" if weights["is_default"] else "")
            table.add_row(
                model["name"], name, weights["source"], *numbers, str(weights["top_1"]), str(weights["top_5"])
            )
    print_table(Console(), table)
    click.echo("\n* DEFAULT; accuracy on ImageNet's validation set in percent")


def print_info(info: dict[str, Any]) -> None:
    """Everything about one network, one thing a line."""
    config = info["config"]
    stem = f", stem {config['stem_filters']}" if "stem_filters" in config else ""
    click.echo(info["name"])
    _print_lines(
        {
            "network": f"{config['network']}, N = {config['n_repeats']}, F = {config['n_filters']}{stem}",
            "cell": str(Cell(config["cell"])),
            "classes": info["num_classes"],
            "parameters": f"{info['n_parameters']:,}",
            "multiply-adds": f"{info['n_multiply_adds']:,} for one image of {info['image_size']} pixels",
        }
    )
    click.echo("\nmaps")
    maps = Table("module", box=None, pad_edge=False)
    for name in ("stride", "channels"):
        maps.add_column(name, justify="right")
    for feature in info["feature_info"]:
        maps.add_row(feature["module"], str(feature["reduction"]), str(feature["num_chs"]))
    print_table(Console(), maps)
    for weights in info["weights"]:
        click.echo(f"\nweights {weights['name']}" + (", the default" if weights["is_default"] else ""))
        _print_lines(_weights_lines(weights))


def print_classes(result: dict[str, Any]) -> None:
    """The most probable classes of an image."""
    click.echo(result["image"])
    classes = Table("class", box=None, pad_edge=False)
    classes.add_column("probability", justify="right")
    for found in result["classes"]:
        classes.add_row(found["name"], f"{found['probability']:.4f}")
    print_table(Console(), classes)


def print_conversion(source: Path, converted: dict[str, Any]) -> None:
    """What was read, what was left out of it, and what was written."""
    name = converted["model"] or f"a network of the {converted['network']} kind"
    click.echo(f"read  {source}: {name}, {converted['source_classes']:,} classes, names of {converted['source']}")
    if converted["num_classes"] < converted["source_classes"]:
        click.echo("      without the background class")
    if converted["drops_auxiliary"]:
        click.echo("      without the auxiliary head, which --auxiliary keeps")
    click.echo(
        f"wrote {converted['file']}: {converted['n_tensors']:,} tensors, {converted['n_parameters']:,} parameters, "
        f"{converted['num_classes']:,} classes, names of {converted['target']}"
    )


def print_export(exported: dict[str, Any]) -> None:
    """What was written as an ONNX file, and how it was checked."""
    parts = [exported["name"]]
    if exported["weights"] is None:
        parts.append(f"random weights of seed {exported['seed']}")
    elif exported["weights"] not in exported["name"]:
        parts.append(f"weights of {exported['weights']}")
    click.echo(f"wrote {exported['file']}: {', '.join(parts)}, {exported['num_classes']} classes")
    if exported["difference"] is None:
        click.echo('not checked: onnxruntime is missing; pip install "pnas-tools[onnx]"')
    else:
        side, difference = exported["image_size"], exported["difference"]
        click.echo(
            f"checked at {side}x{side} pixels: onnxruntime differs from PyTorch by {difference:.1e} of the top logit"
        )
    click.echo("\n" + listed({"in Python": f"onnxruntime.InferenceSession({exported['file']!r})"}))


def _weights_lines(weights: dict[str, Any]) -> dict[str, object]:
    sides = "both sides" if weights["squash"] else "the shorter side"
    first, *mirrors = weights["urls"]
    return {
        "accuracy": f"{weights['top_1']} % top-1, {weights['top_5']} % top-5 of ImageNet's validation set",
        "source": weights["source"],
        "URL": first,
        **{f"mirror {index}": url for index, url in enumerate(mirrors, 1)},
        "SHA-256": weights["sha256"] or "not published: recorded at first use",
        "file": f"{weights['file']} ({'is here' if weights['is_here'] else 'not downloaded'})",
        "classes": weights["num_classes"],
        "images": f"{weights['image_size']} pixels from the middle {weights['crop']} of {sides}, "
        f"{weights['interpolation']}",
        "mean": ", ".join(map(str, weights["mean"])),
        "std": ", ".join(map(str, weights["std"])),
        "licence": weights["license"],
        "about": weights["url"],
    }


def _print_lines(lines: dict[str, object]) -> None:
    for name, value in lines.items():
        click.echo(f"  {name:<13} {value}")


def _short(number: int) -> str:
    """Three digits and a unit."""
    return f"{number / 1e9:.3g} B" if number >= 1e9 else f"{number / 1e6:.3g} M"
