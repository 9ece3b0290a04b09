import { describe, expect, test } from '@jest/globals';
import { startCommand } from '../../src/python-image/start.ts';
import { FASTAPI, type Files, tree } from './projects.ts';

const start = (files: Files, ...packages: readonly string[]) =>
  startCommand({ ...tree(files), packages: new Set(packages) });

const DJANGO = {
  'manage.py': 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n',
  'shop/settings.py': '',
  'shop/wsgi.py': '',
  'shop/asgi.py': '',
};
const FLASK = 'from flask import Flask\napp = Flask(__name__)\n';
const FACTORY = 'from flask import Flask\n\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n';
const MAIN = 'def run():\n    pass\n\nif __name__ == "__main__":\n    run()\n';
const uvicorn = (object: string) => ['sh', '-c', `exec uvicorn ${object} --host 0.0.0.0 --port $PORT`];
const gunicorn = (object: string) => ['gunicorn', '--worker-tmp-dir=/dev/shm', object];

describe('startCommand finds', () => {
  test.each<[string, Files, readonly string[], readonly string[]]>([
    [
      'a plain line of a Procfile',
      { Procfile: 'release: x\nweb: gunicorn shop.wsgi\n', 'main.py': FASTAPI },
      [],
      ['gunicorn', 'shop.wsgi'],
    ],
    [
      'one with variables',
      { Procfile: 'web: gunicorn shop --bind 0.0.0.0:$PORT' },
      [],
      ['sh', '-c', 'exec gunicorn shop --bind 0.0.0.0:$PORT'],
    ],
    [
      'one of several commands',
      { Procfile: 'web: ./migrate && gunicorn shop' },
      [],
      ['sh', '-c', './migrate && gunicorn shop'],
    ],
    ['Django with gunicorn', DJANGO, ['django', 'gunicorn'], gunicorn('shop.wsgi:application')],
    ['Django with uvicorn alone', DJANGO, ['django', 'uvicorn'], uvicorn('shop.asgi:application')],
    [
      'Django with channels',
      DJANGO,
      ['django', 'channels', 'daphne', 'gunicorn'],
      ['sh', '-c', 'exec daphne --bind 0.0.0.0 --port $PORT shop.asgi:application'],
    ],
    ['FastAPI', { 'app/main.py': FASTAPI, 'tests/main.py': FASTAPI }, ['uvicorn'], uvicorn('app.main:app')],
    ['FastAPI below src', { 'src/shop/main.py': FASTAPI }, ['fastapi-standard'], uvicorn('shop.main:app')],
    [
      'an annotated application',
      { 'api.py': FASTAPI.replace('app =', 'api: FastAPI =') },
      ['uvicorn'],
      uvicorn('api:api'),
    ],
    [
      'the likelier of two',
      { 'main.py': FASTAPI, 'tools.py': FASTAPI, 'deep/er/main.py': FASTAPI },
      ['uvicorn'],
      uvicorn('main:app'),
    ],
    [
      'the entry that FastAPI itself reads',
      { 'pyproject.toml': '[tool.fastapi]\nentrypoint = "shop.api:api"', 'main.py': FASTAPI },
      ['uvicorn'],
      uvicorn('shop.api:api'),
    ],
    ['Flask', { 'app.py': FLASK }, ['gunicorn'], gunicorn('app:app')],
    ['a function that makes it', { 'shop/__init__.py': FACTORY }, ['gunicorn'], gunicorn('shop:create_app()')],
    [
      'a function of FastAPI',
      { 'main.py': 'def create_app():\n    return FastAPI()\n' },
      ['uvicorn'],
      uvicorn('--factory main:create_app'),
    ],
    [
      'what calls the function',
      { 'shop/__init__.py': FACTORY, 'wsgi.py': 'from shop import create_app\napp = create_app()\n' },
      ['gunicorn'],
      gunicorn('wsgi:app'),
    ],
    [
      'a function by waitress',
      { 'shop/__init__.py': FACTORY },
      ['waitress'],
      ['sh', '-c', 'exec waitress-serve --host 0.0.0.0 --port $PORT --call shop:create_app'],
    ],
    [
      'a script',
      { 'pyproject.toml': '[project]\nname = "my_shop"\n[project.scripts]\nmy-shop = "a:b"\nseed = "a:c"' },
      [],
      ['my-shop'],
    ],
    ["poetry's only script", { 'pyproject.toml': '[tool.poetry.scripts]\nserve = "a:b"' }, [], ['serve']],
    [
      'Celery',
      { 'shop/tasks.py': 'from celery import Celery\nqueue = Celery("x")\n' },
      ['celery'],
      ['celery', '--app=shop.tasks:queue', 'worker', '--loglevel=INFO'],
    ],
    ['a package that runs', { 'shop/__main__.py': '' }, [], ['python', '-m', 'shop']],
    ['a module that runs', { 'src/tick.py': MAIN, 'src/other.py': '' }, [], ['python', '-m', 'tick']],
  ])('%s', (_, files, packages, argv) => {
    expect(start(files, ...packages).argv).toEqual(argv);
  });

  test('gunicorn gets more than one worker, so that a probe is answered while a request is', () => {
    expect(start(DJANGO, 'gunicorn').env).toEqual({ PORT: '8000', WEB_CONCURRENCY: '2' });
  });

  test('packages below src without an installation by their folder', () => {
    expect(start({ 'src/shop/main.py': FASTAPI }, 'uvicorn').env).toEqual({ PORT: '8000', PYTHONPATH: '/app/src' });
  });

  test('static files that whitenoise serves, which Django gathers in the build', () => {
    expect(start(DJANGO, 'gunicorn', 'whitenoise').prepare).toContain('collectstatic --noinput');
    expect(start(DJANGO, 'gunicorn').prepare).toBeUndefined();
  });

  test('a program that Linux would not let end by SIGTERM, unless it says that it handles that', () => {
    expect(start({ 'tick.py': MAIN }).interrupt).toBe(true);
    expect(start({ 'tick.py': `import signal\nsignal.signal(signal.SIGTERM, x)\n${MAIN}` }).interrupt).toBeUndefined();
    expect(start({ 'main.py': FASTAPI }, 'uvicorn').interrupt).toBeUndefined();
  });
});

describe('startCommand refuses', () => {
  test('a project that shows nothing to start', () => {
    expect(() => start({ 'shop/__init__.py': '' })).toThrow('nothing that a container could start');
  });

  test('an application without a server', () => {
    expect(() => start({ 'main.py': FASTAPI }, 'fastapi')).toThrow('no server for it is among the packages');
    expect(() => start({ 'app.py': FLASK }, 'flask')).toThrow('no server for it is among the packages');
  });

  test('several that are equally likely, by their files', () => {
    expect(() => start({ 'a/main.py': FASTAPI, 'b/main.py': FASTAPI }, 'uvicorn')).toThrow('a/main.py, b/main.py');
  });

  test('what is no name, so that no file can bring a command into the shell', () => {
    const files = {
      'a;id/main.py': FASTAPI,
      '$(id).py': FASTAPI,
      'pyproject.toml': '[tool.fastapi]\nentrypoint = "a:b; id"',
    };
    expect(() => start(files, 'uvicorn')).toThrow('nothing that a container could start');
  });
});
