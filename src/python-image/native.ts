import type { ProductionPackage } from './locked.ts';

/** What Debian has to bring for packages that compile or load libraries of the system. */
export interface NativeNeeds {
  /** Debian packages of the stage that installs. */
  readonly build: readonly string[];
  /** Debian packages of the image itself. */
  readonly run: readonly string[];
  /** Why, a sentence for each Python package. */
  readonly reasons: readonly string[];
}

interface Native {
  readonly build?: readonly string[];
  readonly run?: readonly string[];
  /** A wheel with everything inside exists, so that only an unusual Python or processor has to compile. */
  readonly wheel?: true;
  /** Another package that makes this one needless where it is installed too. */
  readonly unless?: readonly string[];
  /** What would need less. */
  readonly instead?: string;
}

const C = ['gcc', 'libc6-dev'];
/** By what the projects say of their installation, and by Debian's names that hold from one of its releases to the next. */
const NATIVE: Readonly<Record<string, Native>> = {
  psycopg2: { build: [...C, 'libpq-dev'], run: ['libpq5'], instead: 'psycopg2-binary' },
  psycopg: { run: ['libpq5'], unless: ['psycopg-binary', 'psycopg-c'], instead: 'psycopg[binary]' },
  'psycopg-c': { build: [...C, 'libpq-dev'], run: ['libpq5'], instead: 'psycopg[binary]' },
  mysqlclient: { build: [...C, 'default-libmysqlclient-dev', 'pkg-config'], run: ['libmariadb3'], instead: 'PyMySQL' },
  'python-ldap': { build: [...C, 'libldap-dev', 'libsasl2-dev'], run: ['ldap-utils'] },
  pycairo: { build: [...C, 'libcairo2-dev', 'pkg-config'], run: ['libcairo2'] },
  cairocffi: { run: ['libcairo2'] },
  weasyprint: { run: ['libpango-1.0-0', 'libpangoft2-1.0-0', 'libharfbuzz-subset0'] },
  gdal: { build: [...C, 'g++', 'libgdal-dev'], run: ['gdal-bin'], instead: 'rasterio, whose wheels bring GDAL' },
  uwsgi: { build: C, instead: 'gunicorn' },
  pyodbc: { run: ['unixodbc'] },
  xmlsec: { build: [...C, 'libxmlsec1-dev', 'pkg-config'], run: ['libxmlsec1-openssl'], wheel: true },
  'python-magic': { run: ['libmagic1'] },
  pyzbar: { run: ['libzbar0'] },
  pytesseract: { run: ['tesseract-ocr'] },
  pdf2image: { run: ['poppler-utils'] },
  lightgbm: { run: ['libgomp1'] },
  'opencv-python': { run: ['libgl1', 'libglib2.0-0'], instead: 'opencv-python-headless' },
  'opencv-contrib-python': { run: ['libgl1', 'libglib2.0-0'], instead: 'opencv-contrib-python-headless' },
  lxml: { build: [...C, 'libxml2-dev', 'libxslt1-dev'], run: ['libxml2', 'libxslt1.1'], wheel: true },
  pillow: {
    build: [...C, 'libfreetype-dev', 'libjpeg-dev', 'zlib1g-dev'],
    run: ['libfreetype6', 'libjpeg62-turbo'],
    wheel: true,
  },
  cffi: { build: [...C, 'libffi-dev'], wheel: true },
  greenlet: { build: [...C, 'g++'], wheel: true },
  psutil: { build: C, wheel: true },
};

/**
 * The Debian packages without which what is locked would not install or not load.
 * @param python such as `3.13`
 */
export function nativeNeeds(packages: readonly ProductionPackage[], python: string): NativeNeeds {
  const names = new Set(packages.map(({ name }) => name));
  const found = packages.flatMap((one) => {
    const native = NATIVE[one.name];
    if (native === undefined || native.unless?.some((name) => names.has(name)) === true) return [];
    const missing = one.wheels !== undefined && !one.wheels.some((wheel) => wheelFits(wheel, python));
    if (native.wheel === true && !missing) return [];
    return [{ name: one.name, native, missing }];
  });
  const all = (lists: readonly (readonly string[] | undefined)[]): readonly string[] =>
    [...new Set(lists.flatMap((list) => list ?? []))].toSorted();
  return {
    build: all(found.map(({ native }) => native.build)),
    run: all(found.map(({ native }) => native.run)),
    reasons: found.map(({ name, native, missing }) => {
      const build =
        native.build === undefined
          ? ''
          : `is compiled${missing && native.wheel ? `, as no wheel fits Python ${python} on Linux,` : ''}`;
      const run = native.run === undefined ? '' : `loads ${native.run.join(', ')}`;
      const less = native.instead === undefined ? '' : `; ${native.instead} needs none of that`;
      return `${name} ${[build, run].filter(Boolean).join(' and ')}${less}`;
    }),
  };
}

/** Whether a wheel installs on Linux with CPython of this version, by the tags in its name (PEP 425, PEP 600). */
export function wheelFits(file: string, python: string): boolean {
  const [, pythons = '', abi = '', platforms = ''] = /-([^-]+)-([^-]+)-([^-]+)\.whl$/.exec(file) ?? [];
  if (platforms !== 'any' && !/(?:^|\.)(?:manylinux|linux)/.test(platforms)) return false;
  const own = Number(python.split('.')[1] ?? 0);
  return pythons.split('.').some((tag) => {
    if (tag === 'py3') return true;
    const minor = Number(/^cp3(\d+)$/.exec(tag)?.[1] ?? Number.NaN);
    return abi === 'abi3' ? minor <= own : minor === own && abi !== `cp3${minor}t`;
  });
}
