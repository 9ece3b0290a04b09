const TEXT: ReadonlyMap<string, string> = new Map(
  Object.entries({
    html: 'text/html',
    htm: 'text/html',
    xhtml: 'application/xhtml+xml',
    css: 'text/css',
    js: 'text/javascript',
    mjs: 'text/javascript',
    cjs: 'text/javascript',
    json: 'application/json',
    map: 'application/json',
    jsonld: 'application/ld+json',
    geojson: 'application/geo+json',
    webmanifest: 'application/manifest+json',
    xml: 'application/xml',
    xsl: 'application/xml',
    rss: 'application/rss+xml',
    atom: 'application/atom+xml',
    svg: 'image/svg+xml',
    txt: 'text/plain',
    md: 'text/markdown',
    csv: 'text/csv',
    ics: 'text/calendar',
    vtt: 'text/vtt',
    yaml: 'application/yaml',
    yml: 'application/yaml',
    glsl: 'text/plain',
  }),
);

const BINARY: ReadonlyMap<string, string> = new Map(
  Object.entries({
    wasm: 'application/wasm',
    pdf: 'application/pdf',
    zip: 'application/zip',
    gz: 'application/gzip',
    png: 'image/png',
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    gif: 'image/gif',
    webp: 'image/webp',
    avif: 'image/avif',
    ico: 'image/vnd.microsoft.icon',
    bmp: 'image/bmp',
    woff: 'font/woff',
    woff2: 'font/woff2',
    ttf: 'font/ttf',
    otf: 'font/otf',
    eot: 'application/vnd.ms-fontobject',
    mp3: 'audio/mpeg',
    m4a: 'audio/mp4',
    wav: 'audio/wav',
    ogg: 'audio/ogg',
    flac: 'audio/flac',
    mp4: 'video/mp4',
    m4v: 'video/mp4',
    webm: 'video/webm',
    mov: 'video/quicktime',
    glb: 'model/gltf-binary',
    gltf: 'model/gltf+json',
  }),
);

/** Compressing pays for these though they are no text. */
const DENSE = new Set(['wasm', 'ttf', 'otf', 'eot', 'ico', 'bmp', 'glb']);

/** Files of `.well-known` and the like that have no ending, by the registry of well-known URIs. */
const NAMED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'apple-app-site-association': 'application/json',
    'assetlinks.json': 'application/json',
    'security.txt': 'text/plain; charset=utf-8',
    CNAME: 'text/plain; charset=utf-8',
    LICENSE: 'text/plain; charset=utf-8',
  }),
);

/** The media type of a file by its name, with the charset where it is text. */
export function contentTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const ending = endingOf(name);
  const text = TEXT.get(ending);
  const named = NAMED.get(name);
  if (named !== undefined) return named;
  if (text !== undefined) return /json|yaml/.test(text) ? text : `${text}; charset=utf-8`;
  // A file without ending, as some generators write pages, is offered as a download rather than run.
  return BINARY.get(ending) ?? 'application/octet-stream';
}

/** Whether a file gets smaller by gzip or brotli; images, fonts and films are packed already. */
export function isCompressible(path: string): boolean {
  const ending = endingOf(path);
  return TEXT.has(ending) || DENSE.has(ending) || /(^|\/)apple-app-site-association$/.test(path);
}

function endingOf(path: string): string {
  return /[^/]\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
}
