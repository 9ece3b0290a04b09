import { TOOLS } from '../python/pins.ts';
import type { PythonTool } from '../python/project.ts';

/** How the packages of a Python project are installed for production. */
export interface Installer {
  readonly name: PythonTool;
  /** The lockfile or the requirements file; `pyproject.toml` where there is none. */
  readonly lockfile: string;
}

/** Of the wheels of uv, those that an image of Debian takes, for x86_64 and aarch64. */
export const UV_WHEELS = [
  'd7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19',
  'ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375',
  '5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe',
] as const;

/** Whether a file of requirements says what is installed. */
export function byRequirements({ name }: Installer): boolean {
  return name === 'pip' || name === 'pip-tools';
}

/** Whether nothing is locked, so that the project's own metadata says what is installed. */
export function byMetadata({ name }: Installer): boolean {
  return name === 'hatch' || name === 'pep517';
}

/** What runs a tool in an environment of its own, which does not stay. */
export function toolCommand(name: 'poetry' | 'pdm' | 'pipenv'): string {
  const { version, with: held = [] } = TOOLS[name];
  return ['uvx', '--from', `${name}==${version}`, ...held.flatMap((one) => ['--with', `'${one}'`]), name].join(' ');
}
