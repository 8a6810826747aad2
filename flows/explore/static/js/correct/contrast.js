/** How well a colour can be seen on the map, and told from others. */

/** Give red, green and blue, linear, from 0 to 1. */
function linear(colour) {
  return [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
}

/** Contrast ratio of two colours, from 1 to 21 (WCAG 2.2, relative luminance). */
export function contrast(one, other) {
  const [light, dark] = [one, other]
    .map(linear)
    .map(([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue)
    .sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** Place in Oklab, where distances are as they look (B. Ottosson 2020, A perceptual color space for image processing). */
function oklab(colour) {
  const [red, green, blue] = linear(colour);
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** How far apart two colours look: 0 the same, 1 black and white; below 0.08 they are hard to tell apart. */
export function apart(one, other) {
  return Math.hypot(...oklab(one).map((part, at) => part - oklab(other)[at]));
}
