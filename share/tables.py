#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""share/tables.py PINS FLOORS - print the data tables of share/ as C (see lib/appraise/shipped.h).
share/tables.py --sev PINS - print the root keys of legacy SEV (see lib/sev/internal.h).

A malformed row, a duplicate, a missing date or source stops the build."""
import re
import sys

PRODUCTS = {"milan": "TST_SNP_MILAN", "genoa": "TST_SNP_GENOA", "turin": "TST_SNP_TURIN"}
LEGACY_PRODUCTS = ("naples", "rome")  # SEV and SEV-ES only
FLOOR_COLUMNS = ["set", "product", "cpu", "family", "models", "steppings", "component", "minimum", "date", "source"]
COMPONENTS = ("fmc", "bootloader", "tee", "snp", "microcode")


def rows(path, columns):
    header = None
    with open(path, encoding="ascii") as f:
        for number, line in enumerate(f, 1):
            if line.startswith("#") or not line.strip():
                continue
            cells = line.rstrip("\n").split("\t")
            where = f"{path}:{number}"
            if header is None:
                if cells != columns:
                    sys.exit(f"{where}: columns are {cells}, expected {columns}")
                header = cells
                continue
            if len(cells) != len(columns):
                sys.exit(f"{where}: {len(cells)} cells, expected {len(columns)}")
            row = dict(zip(columns, cells))
            if row["product"] not in PRODUCTS and row["product"] not in LEGACY_PRODUCTS:
                sys.exit(f"{where}: unknown product {row['product']}")
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", row["date"]) or not row["source"].startswith("https://"):
                sys.exit(f"{where}: each row needs a date and the address of its source")
            yield where, row


def hex_range(text, where):
    low, _, high = text.partition("-")
    low, high = int(low, 16), int(high or low, 16)
    if not 0 <= low <= high <= 255:
        sys.exit(f"{where}: bad range {text}")
    return low, high


def pins(path):
    seen = set()
    for where, row in rows(path, ["product", "spki-sha256", "date", "source"]):
        if not re.fullmatch("[0-9a-f]{64}", row["spki-sha256"]) or row["spki-sha256"] in seen:
            sys.exit(f"{where}: not a new SHA-256")
        seen.add(row["spki-sha256"])
        octets = ", ".join(f"0x{b:02x}" for b in bytes.fromhex(row["spki-sha256"]))
        yield row["product"], f"{{{octets}}}}}, /* {row['date']} {row['source']} */"


def print_sev_pins(path):
    """The ARK of Milan and later signs for legacy SEV too, so all of them count."""
    print("const struct tst_sev_pin sev_shipped_pins[] = {")
    for product, rest in pins(path):
        print(f'    {{"{product}", {rest}')
    print("};\nconst size_t sev_shipped_pin_count = sizeof sev_shipped_pins / sizeof sev_shipped_pins[0];")


def print_pins(path):
    print("const struct shipped_pin shipped_pins[] = {")
    for product, rest in pins(path):
        if product in PRODUCTS:
            print(f"    {{{PRODUCTS[product]}, {rest}")
    print("};\nconst size_t shipped_pin_count = sizeof shipped_pins / sizeof shipped_pins[0];")


def print_floors(path):
    floors = {}
    for where, row in rows(path, FLOOR_COLUMNS):
        key = (row["set"], row["product"], int(row["family"], 16), hex_range(row["models"], where),
               hex_range(row["steppings"], where))
        component = row["component"]
        if row["product"] not in PRODUCTS:
            sys.exit(f"{where}: {row['product']} has no SEV-SNP")
        if not re.fullmatch(r"\d{4}-\d{2}", row["set"]):
            sys.exit(f"{where}: a set is named after its month, so that the newest is known")
        if component not in COMPONENTS or component in floors.setdefault(key, {}):
            sys.exit(f"{where}: unknown or repeated component {component}")
        floors[key][component] = hex_range(row["minimum"], where)[0]
    print("const struct shipped_floor shipped_floors[] = {")
    for (name, product, family, models, steppings), minimum in floors.items():
        values = ", ".join(f".{c} = 0x{minimum[c]:02x}" for c in COMPONENTS if c in minimum)
        fmc = ".has_fmc = true, " if product == "turin" else ""
        print(f"    {{\"{name}\", {{{PRODUCTS[product]}, {{0x{family:02x}, 0x{models[0]:02x}, 0x{models[1]:02x}, "
              f"0x{steppings[0]:x}, 0x{steppings[1]:x}}}, {{{fmc}{values}}}}}}},")
    print("};\nconst size_t shipped_floor_count = sizeof shipped_floors / sizeof shipped_floors[0];")


def print_floor_rows(path):
    """Every row with its date and source, for people."""
    print("const struct tst_floor_row shipped_floor_rows[] = {")
    for where, row in rows(path, FLOOR_COLUMNS):
        models, steppings = hex_range(row["models"], where), hex_range(row["steppings"], where)
        if not re.fullmatch(r"[A-Za-z0-9, -]+", row["cpu"]) or not re.fullmatch(r"https://[!#-~]+", row["source"]):
            sys.exit(f"{where}: characters that do not belong into a table")
        print(f"    {{\"{row['set']}\", \"{row['cpu']}\", {PRODUCTS[row['product']]}, 0x{int(row['family'], 16):02x}, "
              f"0x{models[0]:02x}, 0x{models[1]:02x}, 0x{steppings[0]:x}, 0x{steppings[1]:x}, \"{row['component']}\", "
              f"0x{hex_range(row['minimum'], where)[0]:02x}, \"{row['date']}\", \"{row['source']}\"}},")
    print("};\nconst size_t shipped_floor_row_count = sizeof shipped_floor_rows / sizeof shipped_floor_rows[0];")


def main():
    print("/* Made by share/tables.py from the tables beside it. */")
    if sys.argv[1] == "--sev":
        print('#include "lib/sev/internal.h"')
        print_sev_pins(sys.argv[2])
        return
    print('#include "lib/appraise/shipped.h"')
    print_pins(sys.argv[1])
    print_floors(sys.argv[2])
    print_floor_rows(sys.argv[2])


main()
