#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes water.tpr on the spot: an exact periodic tiling of GROMACS' own 216-molecule water box. $1: tiles per edge.
set -euo pipefail
cd "$(dirname "$0")"
tiles=${1:-3}
gmx -quiet genconf -f /usr/share/gromacs/top/spc216.gro -o water.gro -nbox "$tiles" "$tiles" "$tiles" >genconf.out 2>&1
cp water.top topol.top
echo "SOL $((216 * tiles ** 3))" >>topol.top
gmx -quiet grompp -f water.mdp -c water.gro -p topol.top -o water.tpr -po mdout.mdp -maxwarn 1 >grompp.out 2>&1
echo "water.tpr: $((648 * tiles ** 3)) atoms"
