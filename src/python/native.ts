import { normalName } from './names.ts';

/** What a package needs from Debian or Ubuntu to be built, beside a compiler: header files of libraries and their tools. */
const BY_PACKAGE: Readonly<Record<string, readonly string[]>> = {
  cryptography: ['libssl-dev', 'libffi-dev', 'cargo'],
  gdal: ['libgdal-dev'],
  h5py: ['libhdf5-dev'],
  lxml: ['libxml2-dev', 'libxslt1-dev'],
  mysqlclient: ['default-libmysqlclient-dev', 'pkg-config'],
  pillow: ['libjpeg-dev', 'zlib1g-dev'],
  psycopg: ['libpq-dev'],
  psycopg2: ['libpq-dev'],
  pycairo: ['libcairo2-dev', 'pkg-config'],
  pycurl: ['libcurl4-openssl-dev', 'libssl-dev'],
  pygraphviz: ['libgraphviz-dev'],
  pygobject: ['libgirepository1.0-dev', 'libcairo2-dev', 'pkg-config'],
  pyodbc: ['unixodbc-dev'],
  'python-ldap': ['libldap2-dev', 'libsasl2-dev'],
  rtree: ['libspatialindex-dev'],
  shapely: ['libgeos-dev'],
  uwsgi: [],
  xmlsec: ['libxmlsec1-dev', 'pkg-config'],
};

/** What a build's own words say is missing. */
const BY_WORDS: readonly (readonly [RegExp, string, readonly string[]])[] = [
  [/pg_config (?:executable )?(?:not found|is required)|libpq-fe\.h/, 'the library libpq', ['libpq-dev']],
  [
    /mysql_config|Can not find valid pkg-config name/,
    'the client library of MySQL',
    ['default-libmysqlclient-dev', 'pkg-config'],
  ],
  [/libxml2? and libxslt development packages|libxml\/\S+\.h/, 'the library libxml2', ['libxml2-dev', 'libxslt1-dev']],
  [/ffi\.h/, 'the library libffi', ['libffi-dev']],
  [/openssl\/\S+\.h|Could not find directory of OpenSSL/, 'the library OpenSSL', ['libssl-dev']],
  [/geos[_-]c(?:\.h|onfig)/, 'the library GEOS', ['libgeos-dev']],
  [/gdal-config|gdal\.h/, 'the library GDAL', ['libgdal-dev']],
  [/sql\.h/, 'the library unixODBC', ['unixodbc-dev']],
  [/Python\.h/, 'the header files of Python', ['python3-dev']],
  [
    /cargo.*(?:not found|not installed)|rust(?:c| compiler|up).*(?:not found|not installed|is required)|can't find Rust compiler/i,
    'the Rust compiler',
    ['cargo'],
  ],
  [/gfortran|No Fortran compiler|Unknown compiler\(s\): \[\['gfortran/i, 'a Fortran compiler', ['gfortran']],
  [
    /(?:gcc|cc|g\+\+|clang)['"`]?(?::)? (?:failed: )?(?:No such file|not found|command not found)|unable to execute '[^']*(?:gcc|cc|g\+\+)|Unknown compiler\(s\)|No CMAKE_C(?:XX)?_COMPILER/i,
    'a C compiler',
    ['build-essential'],
  ],
  [/pkg-config(?:: command)? not found|No such file or directory: 'pkg-config'/i, 'pkg-config', ['pkg-config']],
];

/** What is missing to build a package from source, and the command that brings it on Debian or Ubuntu. */
export interface NativeHelp {
  /** As a phrase; absent where the build does not say it and the package is not known. */
  readonly missing?: string;
  readonly install?: string;
}

/** Reads it out of what the build wrote, else out of what the package is known to need. */
export function nativeHelp(name: string, written: string): NativeHelp {
  const said = BY_WORDS.find(([words]) => words.test(written));
  const known = BY_PACKAGE[normalName(name)];
  if (said === undefined && known === undefined) return {};
  const packages = [...new Set([...(said?.[2] ?? ['build-essential']), ...(known ?? [])])];
  const missing = said?.[1] ?? (known !== undefined && known.length > 0 ? known.join(' or ') : 'a C compiler');
  return { missing, install: `sudo apt-get update && sudo apt-get install --yes ${packages.join(' ')}` };
}
