"""Records what ModelExportTests compares with: names and shapes of the state dicts of arcface_torch's classes.

    python names.py path/to/peer.py > Tests/FaceRecognitionTests/Export/RecordedNames.swift

NETWORKS there maps names to makers of networks whose classes are arcface_torch's (insightface,
recognition/arcface_torch/backbones), with embeddings of 512 and images of 112 x 112.
"""
import importlib.util
import sys
import zlib

spec = importlib.util.spec_from_file_location("peer", sys.argv[1])
peer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peer)

print("// Written by Tests/Recipes/names.py.")
print()
print("/// State dicts of arcface_torch: how many tensors, and the CRC-32 of their names and shapes, sorted.")
print("enum RecordedNames {")
print("  struct Network: Sendable {")
print("    let name: String")
print("    let count: Int")
print("    let checksum: UInt32")
print("  }\n")
print("  static let networks = [")
for name, make in peer.NETWORKS.items():
    lines = sorted(f"{key} {','.join(map(str, value.shape))}" for key, value in make().state_dict().items())
    print(f'    Network(name: "{name}", count: {len(lines)}, checksum: 0x{zlib.crc32(chr(10).join(lines).encode()):08X}),')
print("  ]\n}")
