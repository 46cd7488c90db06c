#!/usr/bin/env bash
# The extended textures, from packages to a model file: scripts/train_extended_textures.sh FOLDER
#
# Recordings of four games under CC-BY-SA-3.0 are added to those of the embedded textures, so the weights are under
# CC-BY-SA-3.0 as well (configs/textures_extended.yaml). Run it again to resume. Needs Debian or Ubuntu, npm, and
# cmaudio with [train] in the active Python environment.
set -euo pipefail

[[ $# == 1 ]] || {
    sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$1/packages" "$1/sounds"
FOLDER=$(cd "$1" && pwd)
SOUNDS=$FOLDER/sounds
PACKAGES=(openclonk-data openttd-opensfx supertuxkart-data flare-game lugaru-data megaglest-data unknown-horizons)

# Packages are unpacked below the folder, not installed.
cd "$FOLDER/packages"
for package in "${PACKAGES[@]}"; do
    [[ -d $package ]] && continue
    apt-get download "$package"
    dpkg-deb --extract "$package"_*.deb "$package.part"
    rm "$package"_*.deb
    mv "$package.part" "$package"
done
[[ -d package ]] || {
    npm pack --silent supersonic-scsynth-samples
    tar xzf supersonic-scsynth-samples-*.tgz
}

bring() { # FROM TO: the sounds of a package
    [[ -d $SOUNDS/$2 ]] || { mkdir -p "$SOUNDS/$2.part" && cp -r "$1"/. "$SOUNDS/$2.part" && mv "$SOUNDS/$2.part" "$SOUNDS/$2"; }
}
unpack() { # ARCHIVE TO
    [[ -d $SOUNDS/$2 ]] || python "$ROOT/scripts/unpack_texture_sounds.py" "$1" "$SOUNDS/$2"
}
unpack openclonk-data/usr/share/games/openclonk/Sound.ocg openclonk
unpack openttd-opensfx/usr/share/games/openttd/baseset/opensfx/opensfx.cat opensfx
bring supertuxkart-data/usr/share/games/supertuxkart/data/sfx supertuxkart
bring package/samples supersonic
bring flare-game/usr/share/games/flare flare-game
bring lugaru-data/usr/share/games/lugaru/Sounds lugaru
bring megaglest-data/usr/share/games/megaglest megaglest
bring unknown-horizons/usr/share/unknown-horizons/content/audio/sounds unknown-horizons

cd "$FOLDER"
{
    cat "$ROOT/configs/textures.csv"
    tail -n +2 "$ROOT/configs/textures_extended.csv"
} >extended.csv
cmaudio prepare folder sounds --table extended.csv -o corpus
cmaudio train "$ROOT/configs/textures_extended.yaml" --corpus corpus -o run
cmaudio evaluate --model run/textures-extended.cmaudio --corpus corpus --json >run/evaluation.json
cmaudio export run -o textures-extended.cmaudio
printf '%s/textures-extended.cmaudio: CC-BY-SA-3.0, authors in its card (cmaudio models inspect)\n' "$FOLDER"
