#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""share/firmware_floors.py FIRMWARE TCB - print both tables of floors as C for the checks of a machine (see
src/platform/floors.h). Of the TCB floors the latest set is taken. A malformed row stops the build."""
import re
import sys

COMPONENTS = ("fmc", "bootloader", "tee", "snp", "microcode")


def rows(path):
    header = None
    with open(path, encoding="ascii") as f:
        for number, line in enumerate(f, 1):
            if line.startswith("#") or not line.strip():
                continue
            cells = line.rstrip("\n").split("\t")
            if header is None:
                header = cells
                continue
            if len(cells) != len(header):
                sys.exit(f"{path}:{number}: {len(cells)} cells, expected {len(header)}")
            row = dict(zip(header, cells))
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", row["date"]) or not row["source"].startswith("https://"):
                sys.exit(f"{path}:{number}: each row needs a date and the address of its source")
            yield f"{path}:{number}", row


def cpu(row, where):
    values = [row["family"]]
    for column in ("models", "steppings"):
        low, _, high = row[column].partition("-")
        values += [low, high or low]
    numbers = [int(v, 16) for v in values]
    if max(numbers) > 255 or numbers[1] > numbers[2] or numbers[3] > numbers[4]:
        sys.exit(f"{where}: bad range")
    return "\"%s\", 0x%02x, 0x%02x, 0x%02x, 0x%x, 0x%x" % (row["cpu"], *numbers)


def print_rows(name, printed):
    print(f"const struct {name} {name}s[] = {{")
    for row in printed:
        print(f"    {{{row}}},")
    print(f"}};\nconst size_t {name}_count = sizeof {name}s / sizeof {name}s[0];")


def firmware(path):
    for where, row in rows(path):
        if not re.fullmatch(r"\d{1,3}\.\d{1,3}\.\d{1,3}", row["minimum"]):
            sys.exit(f"{where}: minimum is not major.minor.build")
        yield f"{{{cpu(row, where)}}}, {row['minimum'].replace('.', ', ')}, \"{row['date']}\", \"{row['source']}\""


def tcb(path):
    every = list(rows(path))
    latest = max(row["set"] for _, row in every)
    for where, row in every:
        if row["component"] not in COMPONENTS:
            sys.exit(f"{where}: unknown component {row['component']}")
        if row["set"] == latest:
            yield f"{{{cpu(row, where)}}}, \"{latest}\", \"{row['component']}\", 0x{int(row['minimum'], 16):02x}, \"{row['source']}\""


print("/* Made by share/firmware_floors.py from the tables beside it. */")
print('#include "platform/floors.h"')
print_rows("firmware_floor", firmware(sys.argv[1]))
print_rows("tcb_floor", tcb(sys.argv[2]))
