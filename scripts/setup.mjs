// Makes a fresh clone ready: installs the npm packages when they are missing or older than the lock file.
//   --build  also compiles to dist/ when a source is newer
//   --bench  also compiles the benchmarks to dist-bench/ when a source is newer
//   --examples  the same for the examples
//   --test   also brings the Debian packages that the tests want (as root on Debian), or names what is missing
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const wants = new Set(process.argv.slice(2));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`miniport needs Node 20.19 or later; this is ${process.version}. See https://nodejs.org/`);
  process.exit(1);
}

/** Runs a program of this project; its output goes to standard error. Ends this process when it fails. */
function run(command, args, remedy) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status === 0) return;
  console.error(remedy);
  process.exit(result.status ?? 1);
}

const installed = join(root, 'node_modules', '.package-lock.json');
const lock = join(root, 'package-lock.json');
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.error('Installing npm packages (first run, or package-lock.json changed) …');
  run(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    '`npm ci` failed; see the messages above. Without network, copy node_modules from another clone.',
  );
  utimesSync(installed, new Date(), new Date());
}

/** Time of the newest file below a folder. */
function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile())
      time = Math.max(time, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return time;
}

function build(output, config, folders) {
  const stamp = join(root, output, '.built');
  const sources = Math.max(...folders.map((folder) => newest(join(root, folder))), statSync(lock).mtimeMs);
  if (existsSync(stamp) && statSync(stamp).mtimeMs > sources) return;
  console.error(`Compiling to ${output}/ …`);
  run('npx', ['tsc', '-p', config], 'The sources do not compile; see the messages above.');
  writeFileSync(stamp, '');
}

if (wants.has('--build')) build('dist', 'tsconfig.build.json', ['src']);
if (wants.has('--bench')) build('dist-bench', 'tsconfig.bench.json', ['src', 'bench']);

if (wants.has('--examples')) build('dist-examples', 'tsconfig.examples.json', ['src', 'examples']);

if (wants.has('--test')) {
  const found = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
  if (!found(process.env.MINIPORT_QEMU ?? 'qemu-system-x86_64')) {
    const debianRoot = process.getuid?.() === 0 && existsSync('/etc/debian_version');
    if (debianRoot) {
      console.error('Installing qemu-system-x86 for the tests on QEMU …');
      const apt = (...args) =>
        spawnSync('apt-get', args, {
          stdio: ['ignore', 2, 2],
          env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        }).status === 0;
      if (
        !apt('update', '-qq') ||
        !apt('install', '-y', '-qq', '--no-install-recommends', 'qemu-system-x86')
      ) {
        console.error('qemu-system-x86 could not be installed: the tests on QEMU are left out.');
      }
    } else {
      console.error(
        'qemu-system-x86_64 was not found (Debian package qemu-system-x86): the tests on QEMU are left out.',
      );
    }
  }
}
