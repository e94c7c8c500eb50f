# shellcheck shell=bash
# PyTorch, beside which we measure ourselves: sourced by the scripts that do.

# peer_environment: makes the virtual environment outside of the checkout where it is missing, and sets `venv` to it.
peer_environment() {
  venv=${COSFACE_PEER_VENV:-$HOME/.cache/cosface-peer}
  if [[ -e $venv/complete ]] && "$venv/bin/python" -c 'import PIL' 2>/dev/null; then return; fi
  echo "$(basename "$0"): making $venv (PyTorch, about 1 GB)" >&2
  python3 -m venv "$venv"
  local packages=(torch==2.13.0+cpu numpy onnx onnxruntime pillow)
  # PyTorch's own index only where the configured ones do not have the wheel.
  "$venv/bin/pip" install --quiet "${packages[@]}" 2>/dev/null >&2 ||
    "$venv/bin/pip" install --quiet --extra-index-url https://download.pytorch.org/whl/cpu "${packages[@]}" >&2
  touch "$venv/complete"
}
