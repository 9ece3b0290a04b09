import { UserError } from '../action/errors.ts';
import { type App, findApps, likelyModules, moduleOf } from './apps.ts';
import { normalName } from '../python/names.ts';
import { tableAt, textAt } from '../python/toml.ts';
import { type SourceTree, readToml } from './project.ts';

/** How a container of the project starts, and why so. */
export interface PythonStart {
  /** Program and arguments; a shell among them hands over to the program by `exec`, so that signals reach it. */
  readonly argv: readonly string[];
  readonly reason: string;
  /** Variables that the image sets, and a manifest may set otherwise. */
  readonly env: Readonly<Record<string, string>>;
  /** A program of the project itself, so that the project has to be installed. */
  readonly script?: true;
  /** What runs once the sources are there, to gather static files. */
  readonly prepare?: string;
  /** The program does not end by SIGTERM, which Linux keeps from the first process of a container by default. */
  readonly interrupt?: true;
}

/** A project's sources, and the names of the packages that its image gets. */
export interface Startable extends SourceTree {
  readonly packages: ReadonlySet<string>;
}

const PORT = { PORT: '8000' };
// A single worker could not answer a probe while it works, and the file by which it shows that it lives needs a place
// that can be written in a read-only container.
const GUNICORN = ['gunicorn', '--worker-tmp-dir=/dev/shm'];
const GUNICORN_ENV = { ...PORT, WEB_CONCURRENCY: '2' };
const PLAIN_WORD = /^[\w@%+=:,./-]+$/;
const OBJECT = /^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$/;

/**
 * Finds the command, in the order in which projects state it: the line `web` of a Procfile, `tool.fastapi.entrypoint`,
 * Django's manage.py, an application object that the sources make, a script of pyproject.toml, and a module to run.
 * @throws UserError when there is nothing to start, several candidates are equally likely, or the server that an
 *   application needs is not among the packages
 */
export function startCommand(project: Startable): PythonStart {
  const found = procfile(project) ?? fastapiEntry(project) ?? django(project) ?? webApp(project);
  const start = found ?? script(project) ?? celery(project) ?? runnable(project);
  if (start !== undefined) return start;
  throw new UserError('The project shows nothing that a container could start.', {
    remedy:
      'Add a Procfile with a line such as `web: gunicorn shop.wsgi`, a script under `[project.scripts]` of pyproject.toml, or a Dockerfile of your own.',
  });
}

function procfile({ read }: Startable): PythonStart | undefined {
  const lines = (read('Procfile') ?? '').split('\n').map((line) => /^(\w+):\s*(.+?)\s*$/.exec(line));
  const line = lines.find((one) => one?.[1] === 'web') ?? lines.find((one) => one?.[1] === 'worker');
  const command = line?.[2];
  if (command === undefined) return undefined;
  const words = command.split(/\s+/);
  const reason = `the line ${line?.[1]} of the Procfile`;
  if (words.every((word) => PLAIN_WORD.test(word)) && !/^\w+=/.test(words[0] ?? '')) {
    return { argv: words, reason, env: PORT };
  }
  // One command with variables alone: the shell can hand over to it. Others it has to stay for.
  const single = !/[;&|\n]/.test(command) && !/^\w+=/.test(command);
  return { argv: ['sh', '-c', single ? `exec ${command}` : command], reason, env: PORT };
}

function fastapiEntry(project: Startable): PythonStart | undefined {
  const entry = textAt(readToml(project, 'pyproject.toml'), 'tool', 'fastapi', 'entrypoint');
  if (entry === undefined || !OBJECT.test(entry)) return undefined;
  return asgi(project, entry, { reason: '`tool.fastapi.entrypoint` in pyproject.toml', file: 'pyproject.toml' });
}

function django(project: Startable): PythonStart | undefined {
  const settings = /DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']/.exec(project.read('manage.py') ?? '')?.[1];
  if (settings === undefined) return undefined;
  const prepare = project.packages.has('whitenoise') ? { prepare: collectStatic() } : {};
  const folder = settings.split('.').slice(0, -1).join('/');
  const folders = [folder, folder.replace(/\/settings$/, '')];
  const entry = (kind: string): string | undefined =>
    folders.map((one) => `${one}/${kind}.py`).find((file) => project.files.includes(file));
  const async = project.packages.has('channels') || project.packages.has('daphne') || !project.packages.has('gunicorn');
  const asgiFile = entry('asgi');
  const wsgiFile = entry('wsgi');
  if (asgiFile !== undefined && async && (wsgiFile === undefined || hasAsgiServer(project))) {
    const { module } = moduleOf(project, asgiFile);
    return {
      ...asgi(project, `${module}:application`, { reason: `Django's ${asgiFile}`, file: asgiFile }),
      ...prepare,
    };
  }
  if (wsgiFile === undefined) return undefined;
  const { module } = moduleOf(project, wsgiFile);
  return { ...wsgi(project, `${module}:application`, { reason: `Django's ${wsgiFile}`, file: wsgiFile }), ...prepare };
}

/** Django reads its settings for this, which most often want a key: this one goes nowhere. */
function collectStatic(): string {
  return 'SECRET_KEY=build DJANGO_SECRET_KEY=build python manage.py collectstatic --noinput';
}

function webApp(project: Startable): PythonStart | undefined {
  const apps = findApps(project).filter(({ kind }) => kind !== 'celery');
  const app = theOne(apps);
  if (app === undefined) return undefined;
  const what = app.factory ? `the function ${app.name}` : `the ${app.framework} application ${app.name}`;
  const why = { reason: `${what} in ${app.file}`, file: app.file };
  const env = pathTo(app.root);
  const object = `${app.module}:${app.name}`;
  const start =
    app.kind === 'asgi'
      ? asgi(project, object, why, app.factory)
      : wsgi(project, app.factory ? `${object}()` : object, why);
  return { ...start, env: { ...start.env, ...env } };
}

/** The likeliest of several; of those in one folder the names decide. */
function theOne(apps: readonly App[]): App | undefined {
  const [first, second] = apps;
  const level = (app: App): string =>
    app.file.replace(/^src\//, '').split('/').length + (app.file.split('/').at(-1) ?? '');
  if (first !== undefined && second !== undefined && level(first) === level(second)) {
    const files = apps.filter((app) => level(app) === level(first)).map(({ file }) => file);
    throw new UserError(`Several files make an application that a container could start: ${files.join(', ')}.`, {
      remedy: `Name the one to start in a Procfile, such as \`web: uvicorn ${first.module}:${first.name} --host 0.0.0.0 --port $PORT\`.`,
    });
  }
  return first;
}

interface Why {
  readonly reason: string;
  readonly file: string;
}

function hasAsgiServer({ packages }: Startable): boolean {
  return ['uvicorn', 'fastapi-standard', 'hypercorn', 'granian', 'daphne'].some((name) => packages.has(name));
}

function asgi(project: Startable, object: string, { reason, file }: Why, factory = false): PythonStart {
  const { packages } = project;
  // These three do not read PORT: a shell puts it in and hands over.
  const shell = (command: string): PythonStart => ({ argv: ['sh', '-c', `exec ${command}`], reason, env: PORT });
  if (packages.has('uvicorn') || packages.has('fastapi-standard')) {
    return shell(`uvicorn ${factory ? '--factory ' : ''}${object} --host 0.0.0.0 --port $PORT`);
  }
  if (!factory && packages.has('hypercorn')) return shell(`hypercorn ${object} --bind 0.0.0.0:$PORT`);
  if (!factory && packages.has('daphne')) return shell(`daphne --bind 0.0.0.0 --port $PORT ${object}`);
  if (packages.has('granian')) {
    return shell(`granian --interface asgi ${factory ? '--factory ' : ''}--host 0.0.0.0 --port $PORT ${object}`);
  }
  throw noServer('uvicorn', reason, file);
}

function wsgi({ packages }: Startable, object: string, { reason, file }: Why): PythonStart {
  // gunicorn binds to PORT and starts WEB_CONCURRENCY workers by itself.
  if (packages.has('gunicorn')) return { argv: [...GUNICORN, object], reason, env: GUNICORN_ENV };
  if (packages.has('waitress')) {
    const call = object.endsWith('()') ? `--call ${object.slice(0, -2)}` : object;
    return { argv: ['sh', '-c', `exec waitress-serve --host 0.0.0.0 --port $PORT ${call}`], reason, env: PORT };
  }
  throw noServer('gunicorn', reason, file);
}

function noServer(server: string, reason: string, file: string): UserError {
  return new UserError(`A container would start ${reason}, but no server for it is among the packages.`, {
    remedy: `Add ${server} to the dependencies and lock them again; a development server is none for production.`,
    place: { file },
  });
}

function script(project: Startable): PythonStart | undefined {
  const toml = readToml(project, 'pyproject.toml');
  const scripts = { ...tableAt(toml, 'tool', 'poetry', 'scripts'), ...tableAt(toml, 'project', 'scripts') };
  const names = Object.keys(scripts).filter((name) => PLAIN_WORD.test(name));
  const own = normalName(textAt(toml, 'project', 'name') ?? textAt(toml, 'tool', 'poetry', 'name') ?? '');
  const name =
    names.length === 1 ? names[0] : names.find((one) => ['start', 'serve', 'server', own].includes(normalName(one)));
  if (name === undefined) return undefined;
  const reason = `the script ${name} of pyproject.toml`;
  return { argv: [name], reason, env: PORT, script: true, ...interrupt(project) };
}

function celery(project: Startable): PythonStart | undefined {
  const app = findApps(project).find(({ kind }) => kind === 'celery');
  if (app === undefined || !project.packages.has('celery')) return undefined;
  const argv = ['celery', `--app=${app.module}:${app.name}`, 'worker', '--loglevel=INFO'];
  return { argv, reason: `the Celery application ${app.name} in ${app.file}`, env: pathTo(app.root) };
}

function runnable(project: Startable): PythonStart | undefined {
  const file = likelyModules(project).find(
    (one) => one.endsWith('__main__.py') || /^if __name__ == ["']__main__["']/m.test(project.read(one) ?? ''),
  );
  if (file === undefined) return undefined;
  const { module, root } = moduleOf(project, file);
  const main = module.replace(/(?:^|\.)__main__$/, '');
  const argv = main === '' ? ['python', '.'] : ['python', '-m', main];
  return { argv, reason: `the file ${file}`, env: { ...PORT, ...pathTo(root) }, ...interrupt(project) };
}

/** Servers end by SIGTERM, and so does what names it; Python by itself leaves it to Linux, and heeds SIGINT. */
function interrupt(project: Startable): { interrupt?: true } {
  const heeds = /\bSIGTERM\b|\b(?:uvicorn|hypercorn|aiohttp|web|waitress)\.(?:run|run_app|serve)\b/;
  return likelyModules(project).some((file) => heeds.test(project.read(file) ?? '')) ? {} : { interrupt: true };
}

/** Packages below `src/` are found there, whether the project is installed or not. */
function pathTo(root: string): Readonly<Record<string, string>> {
  return root === '' ? {} : { PYTHONPATH: `/app/${root}` };
}
