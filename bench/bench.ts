// `npm run bench` measures what a start costs; `npm run bench -- build` a whole build beside the usual chain of commands,
// `-- migrate` the linter of migrations beside squawk, `-- canary` the judge of canaries beside others.
const [what = 'start'] = process.argv.slice(2);
if (what === 'start') await import('./start.ts');
else if (what === 'build') await import('./build/build.ts');
else if (what === 'migrate') await import('./migrate/migrate.ts');
else if (what === 'canary') await import('./canary/canary.ts');
else throw new Error(`there is no benchmark ${what}; there are start, build, migrate and canary`);
