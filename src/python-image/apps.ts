import type { SourceTree } from './project.ts';

/** What answers requests or tasks, by the framework that makes it. */
export type AppKind = 'asgi' | 'wsgi' | 'celery';

/** An application object in a module, or a function that makes one. */
export interface App {
  readonly kind: AppKind;
  readonly framework: string;
  readonly file: string;
  /** Such as `app.main`, as Python imports it from {@link root}. */
  readonly module: string;
  /** The folder that modules are imported from: '' for the project's own. */
  readonly root: string;
  readonly name: string;
  /** The name is of a function that gives the application. */
  readonly factory: boolean;
}

const FRAMEWORKS: Readonly<Record<string, AppKind>> = {
  FastAPI: 'asgi',
  Starlette: 'asgi',
  Litestar: 'asgi',
  Quart: 'asgi',
  Flask: 'wsgi',
  Celery: 'celery',
};
const MADE = new RegExp(`^(\\w+)(?:\\s*:[^=\\n]+)?\\s*=\\s*(?:\\w+\\.)*(${Object.keys(FRAMEWORKS).join('|')})\\(`, 'm');
const FACTORIES = 'create_app|make_app|get_app|build_app|app_factory';
const FACTORY = new RegExp(`^def (${FACTORIES})\\(`, 'm');
/** Such as the usual wsgi.py of Flask: `app = create_app()`. */
const CALLED = new RegExp(`^(\\w+)\\s*=\\s*(?:\\w+\\.)*(?:${FACTORIES})\\(`, 'm');

/** Folders that hold no service, whatever they are in. */
const ELSEWHERE = /(?:^|\/)(?:tests?|docs?|examples?|benchmarks?|migrations|node_modules|venv|build|dist)\//;
/** A file that Python can import by its path. */
const IMPORTABLE = /^(?:[A-Za-z_]\w*\/)*[A-Za-z_]\w*\.py$/;
/** Names that people give the module of a service, the likeliest first. */
const USUAL = ['main', 'app', '__init__', 'api', 'asgi', 'wsgi', 'server', 'application', 'celery', 'worker'];
const MAX_FILES = 500;

/** The Python files of a project in which a service may begin: the likeliest first. */
export function likelyModules({ files }: SourceTree): readonly string[] {
  return files
    .filter((file) => IMPORTABLE.test(file) && !ELSEWHERE.test(file) && !/(?:^|\/)(?:test_|conftest)/.test(file))
    .map((file) => ({ file, rank: rankOf(file) }))
    .toSorted((a, b) => a.rank - b.rank || (a.file < b.file ? -1 : 1))
    .slice(0, MAX_FILES)
    .map(({ file }) => file);
}

/** The applications that modules of the project make at their top level, the likeliest first. */
export function findApps(tree: SourceTree): readonly App[] {
  const files = likelyModules(tree);
  const texts = files.map((file) => tree.read(file) ?? '');
  const own = texts.map(appIn);
  const made = own.find((app) => app?.factory === true);
  return files.flatMap((file, index) => {
    const called = CALLED.exec(texts[index] ?? '')?.[1];
    const app = made === undefined || called === undefined ? own[index] : { ...made, name: called, factory: false };
    return app === undefined ? [] : [{ ...app, file, ...moduleOf(tree, file) }];
  });
}

function appIn(text: string): Pick<App, 'kind' | 'framework' | 'name' | 'factory'> | undefined {
  const [, name, maker] = MADE.exec(text) ?? [];
  const factory = name === undefined ? FACTORY.exec(text)?.[1] : undefined;
  const framework = maker ?? Object.keys(FRAMEWORKS).find((one) => text.includes(`${one}(`)) ?? '';
  const [kind, found] = [FRAMEWORKS[framework], name ?? factory];
  if (kind === undefined || found === undefined || (factory !== undefined && kind === 'celery')) return undefined;
  return { kind, framework, name: found, factory: factory !== undefined };
}

/** How Python imports a file: `src/` is where packages begin, unless it is a package itself. */
export function moduleOf({ files }: Pick<SourceTree, 'files'>, file: string): { module: string; root: string } {
  const root = file.startsWith('src/') && !files.includes('src/__init__.py') ? 'src' : '';
  const below = root === '' ? file : file.slice(root.length + 1);
  return { module: below.replace(/(?:\/__init__)?\.py$/, '').replaceAll('/', '.'), root };
}

function rankOf(file: string): number {
  const below = file.replace(/^src\//, '');
  const usual = USUAL.indexOf(below.split('/').at(-1)?.slice(0, -3) ?? '');
  return below.split('/').length * 100 + (usual < 0 ? USUAL.length : usual);
}
