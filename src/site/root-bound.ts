/**
 * Whether a page names its scripts and styles from the root of the host (`/assets/…`), so that it works nowhere else. A
 * `<base>` of the page's own decides what relative addresses mean, and changes nothing about those.
 */
export function isRootBound(html: string): boolean {
  const tags = html.matchAll(/<(?:script|link)\b[^<>]*?\b(?:src|href)\s*=\s*["']?([^"'\s>]+)/gi);
  return [...tags].some(
    ([tag, address = '']) => /^\/(?!\/)/.test(address) && /<script|stylesheet|modulepreload/i.test(tag),
  );
}
