"""The colours that a browser shows."""

from __future__ import annotations

from support.browser import Browser


def colour(window: Browser, selector: str, what: str) -> list[float]:
    """Red, green, blue."""
    found: list[float] = window.run(
        f"return getComputedStyle(document.querySelector({selector!r}))"
        f".getPropertyValue({what!r}).match(/[0-9.]+/g).slice(0, 3).map(Number)"
    )
    return found


CONTRAST = """
const light = (rgb) => {
  const [r, g, b] = rgb.map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const numbers = (text) => text.match(/[0-9.]+/g).map(Number);
const behind = (one) => {
  for (let at = one; at !== null; at = at.parentElement) {
    const [r, g, b, a = 1] = numbers(getComputedStyle(at).backgroundColor);
    if (a > 0) return [r, g, b];
  }
  return [255, 255, 255];
};
let worst = { ratio: 99, text: "" };
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const one = walk.currentNode.parentElement;
  if (!walk.currentNode.data.trim() || one.offsetParent === null) continue;
  const pair = [numbers(getComputedStyle(one).color).slice(0, 3), behind(one)].map(light);
  const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  if (ratio < worst.ratio) worst = { ratio, text: walk.currentNode.data };
}
return worst;
"""
