# shellcheck shell=bash
# How well a network verifies: sourced by the scripts that compare networks.

# ten_fold MODEL OPTION...: its ten-fold accuracy in per cent by `cosface evaluate`, whose path is in `cosface`.
ten_fold() {
  "$cosface" evaluate --model "$@" --json |
    python3 -c 'import json, sys; print("%.2f" % (100 * json.load(sys.stdin)["verification"]["crossValidation"]["mean"]))'
}
