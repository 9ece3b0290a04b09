/** What installs a project, as src/python tells them apart. */
export type InstallerName = 'uv' | 'poetry' | 'pdm' | 'pipenv' | 'hatch' | 'pip-tools' | 'pip' | 'pylock' | 'pep517';

/** How the packages of a Python project are installed for production. */
export interface Installer {
  readonly name: InstallerName;
  /** The lockfile or the requirements file; `pyproject.toml` where there is none. */
  readonly lockfile: string;
}

/** The uv of generated Dockerfiles: as wheels of PyPI, since an image that holds it may be out of reach. */
export const UV = {
  version: '0.13.9',
  sha256: [
    'd7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19', // x86_64
    '5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe', // aarch64
  ],
} as const;

/** Whether a file of requirements says what is installed. */
export function byRequirements({ name }: Installer): boolean {
  return name === 'pip' || name === 'pip-tools';
}

/** Whether nothing is locked, so that the project's own metadata says what is installed. */
export function byMetadata({ name }: Installer): boolean {
  return name === 'hatch' || name === 'pep517';
}

/** The releases of the tools that the build brings, and what their dependencies are held to. */
const TOOLS = {
  poetry: { version: '2.5.1', with: [] },
  pdm: { version: '2.29.4', with: ['hishel<2'] },
  pipenv: { version: '2026.10.3', with: [] },
} as const;

/** What runs a tool in an environment of its own, which does not stay. */
export function toolCommand(name: keyof typeof TOOLS): string {
  const { version, with: held } = TOOLS[name];
  return ['uvx', '--from', `${name}==${version}`, ...held.flatMap((one) => ['--with', `'${one}'`]), name].join(' ');
}
