#!/bin/sh
# Puts together an image NAME from Debian's packages, to build ours on where no registry of images can be reached.
# usage: base_from_debian.sh NAME; needs root, buildah and debootstrap. PARLEY_DEBIAN_MIRROR names a mirror of yours.
set -eu
name=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export BUILDAH_ISOLATION=chroot

debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$folder/root" \
    ${PARLEY_DEBIAN_MIRROR:+"$PARLEY_DEBIAN_MIRROR"}
ln -s python3 "$folder/root/usr/bin/python"
rm -rf "$folder/root/var/cache/apt/archives" "$folder/root/var/lib/apt/lists"
mkdir -p "$folder/root/var/cache/apt/archives/partial" "$folder/root/var/lib/apt/lists/partial"

container=$(buildah from scratch)
buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
# Where the machine's own package client trusts another authority (a proxy's), the build must trust it, too.
if [ -n "${PIP_CERT:-}" ]; then
    certificates=/etc/ssl/certs/ca-certificates.crt
    cp "$PIP_CERT" "$folder/root$certificates"
    for variable in PIP_CERT SSL_CERT_FILE REQUESTS_CA_BUNDLE; do
        buildah config --env "$variable=$certificates" "$container"
    done
fi
buildah add --quiet "$container" "$folder/root" /
buildah commit --quiet "$container" "$name"
buildah rm "$container"
