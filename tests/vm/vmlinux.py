#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vmlinux.py VMLINUZ VMLINUX: takes the uncompressed ELF kernel out of a bzImage.

Where the payload lies is in the boot protocol's header: linux/Documentation/arch/x86/boot.rst.
"""

import gzip
import lzma
import struct
import subprocess
import sys

SECTOR = 512
SETUP_SECTORS, PAYLOAD = 0x1F1, 0x248


def unzstd(data):
    return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=False).stdout


# lzma and zstd stop at the end of the stream; the four bytes behind it are its length.
UNPACKERS = {
    b"\xfd7zXZ\0": lambda data: lzma.LZMADecompressor().decompress(data),
    b"\x28\xb5\x2f\xfd": lambda data: unzstd(data[:-4]),
    b"\x1f\x8b": lambda data: gzip.decompress(data[:-4]),
}


def payload(image):
    begin = ((image[SETUP_SECTORS] or 4) + 1) * SECTOR
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    return image[begin + offset :][:length]


def main(source, target):
    with open(source, "rb") as file:
        data = payload(file.read())
    unpack = next((f for magic, f in UNPACKERS.items() if data.startswith(magic)), None)
    if not unpack:
        sys.exit(f"{source}: compressed in an unknown way ({data[:6].hex()})")
    kernel = unpack(data)
    if not kernel.startswith(b"\x7fELF"):
        sys.exit(f"{source}: no ELF file in it")
    with open(target, "wb") as file:
        file.write(kernel)


if __name__ == "__main__":
    main(*sys.argv[1:])
