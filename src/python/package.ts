import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../action/errors.ts';
import { type Program, type PythonHost, UV_ENV, provideTool } from './uv.ts';

/** A file that an index takes. */
export interface Distribution {
  /** Absolute. */
  readonly file: string;
  readonly kind: 'wheel' | 'sdist';
  /** From its own metadata, as an index will show them. */
  readonly name: string;
  readonly version: string;
  readonly requiresPython?: string;
  /** How many files are in it. */
  readonly files: number;
  /** Bytes. */
  readonly size: number;
}

/** What a distribution says of itself, read by Python's own library: no other knows both formats. */
const INSPECT = `
import email.parser, json, sys, tarfile, zipfile
for path in sys.argv[1:]:
    if path.endswith('.whl'):
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if not n.endswith('/')]
            metadata = archive.read(next(n for n in names if n.endswith('.dist-info/METADATA') and n.count('/') == 1))
    else:
        with tarfile.open(path) as archive:
            members = [m for m in archive.getmembers() if m.isfile()]
            names = [m.name for m in members]
            metadata = archive.extractfile(next(m for m in members if m.name.endswith('/PKG-INFO') and m.name.count('/') == 1)).read()
    said = email.parser.BytesParser().parsebytes(metadata, headersonly=True)
    print(json.dumps({'name': said['Name'], 'version': said['Version'], 'requires': said['Requires-Python'], 'files': len(names), 'names': names[:20000]}))
`;

interface Inspected {
  readonly name: string;
  readonly version: string;
  readonly requires: string | null;
  readonly files: number;
  readonly names: readonly string[];
}

/** What builds and checks distributions. */
export interface Packaging {
  /** Folder of the project, absolute. */
  readonly directory: string;
  readonly python: Program;
  readonly uv: Program;
  /** Folder for the distributions, absolute; it has to be empty. */
  readonly out: string;
}

/**
 * Builds the project's sdist, and its wheel out of that, and checks both as an index would: their metadata and whether
 * the README can be shown.
 * @throws UserError with the last lines of the builder or the checker, or when the two disagree or hold no code
 */
export async function buildPackage(given: Packaging, host: PythonHost): Promise<readonly Distribution[]> {
  const { directory, python, uv, out } = given;
  const env = { ...UV_ENV, UV_PYTHON: python.path, UV_PYTHON_DOWNLOADS: 'never' };
  await run(
    { program: uv.path, args: ['build', '--out-dir', out], title: 'uv build', cwd: directory, env },
    host,
    BUILD_REMEDY,
  );
  const files = (await readdir(out))
    .filter((file) => /\.(?:whl|tar\.gz)$/.test(file))
    .map((file) => path.join(out, file));
  const twine = await provideTool('twine', uv, host);
  const check = {
    program: twine.path,
    args: ['check', '--strict', ...files],
    title: 'twine check',
    cwd: directory,
    env: {},
  };
  await run(check, host, 'Mend the metadata or the README that the last lines name.');
  const { stdout } = await host.exec.ask(python.path, ['-c', INSPECT, ...files]);
  const said = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Inspected);
  checkContent(said, files);
  return Promise.all(
    files.map(async (file, index) => {
      const { name = '', version = '', requires = null, files: count = 0 } = said[index] ?? {};
      const kind = file.endsWith('.whl') ? ('wheel' as const) : ('sdist' as const);
      const { size } = await stat(file);
      return { file, kind, name, version, ...(requires !== null && { requiresPython: requires }), files: count, size };
    }),
  );
}

const BUILD_REMEDY = 'Mend what the last lines name; `uv build` shows the same on your machine.';
const TAIL_LINES = 15;

interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly title: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

async function run({ program, args, title, cwd, env }: Run, host: PythonHost, remedy: string): Promise<void> {
  const onLine = (line: string): void => host.log.info(line);
  const { exitCode, stdout, stderr } = await host.log.group(title, async () =>
    host.exec.run(program, args, { cwd, env, timeout: 30 * 60_000, onLine }),
  );
  if (exitCode === 0) return;
  const tail = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  const what = `\`${title}\` failed with exit code ${exitCode}`;
  throw new UserError(`${what}\n${tail.slice(-TAIL_LINES).join('\n')}`, { remedy, place: { file: 'pyproject.toml' } });
}

function checkContent(said: readonly Inspected[], files: readonly string[]): void {
  const versions = [...new Set(said.map(({ version }) => version))];
  if (said.length !== files.length || versions.length !== 1) {
    throw new UserError(`The distributions say several versions: ${versions.join(', ') || 'none'}.`, {
      remedy: 'Let the version come from one place, such as `project.version` in pyproject.toml.',
      place: { file: 'pyproject.toml' },
    });
  }
  const wheel = said[files.findIndex((file) => file.endsWith('.whl'))];
  if (wheel?.names.every((name) => /^[^/]+\.dist-info\//.test(name)) !== true) return;
  throw new UserError(`The wheel of ${wheel.name} holds no code, only its metadata.`, {
    remedy: 'Tell the build backend where the packages are, such as `packages` of its own table in pyproject.toml.',
    place: { file: 'pyproject.toml' },
  });
}
