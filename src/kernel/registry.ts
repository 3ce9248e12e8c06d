/** The registry in memory: keys, values, links, and saving to JSON. Drivers use the Zw functions of registry-api.ts. */
import { NtError } from './nt-error.ts';
import {
  STATUS_CANNOT_DELETE,
  STATUS_CHILD_MUST_BE_VOLATILE,
  STATUS_INVALID_PARAMETER,
  STATUS_KEY_DELETED,
  STATUS_NAME_TOO_LONG,
  STATUS_OBJECT_NAME_INVALID,
  STATUS_OBJECT_NAME_NOT_FOUND,
  STATUS_OBJECT_PATH_SYNTAX_BAD,
} from './ntstatus.ts';
import {
  decodeDword,
  decodeMultiSz,
  decodeSz,
  encodeRegistryValue,
  REG_DWORD,
  REG_DWORD_BIG_ENDIAN,
  REG_EXPAND_SZ,
  REG_MULTI_SZ,
  REG_SZ,
  type RegistryValue,
  type RegistryValueData,
  upcaseName,
} from './registry-values.ts';

/** Longest key name in characters, and value name (registry element size limits). */
export const MAX_KEY_NAME_LENGTH = 255;
export const MAX_VALUE_NAME_LENGTH = 16_383;
/** Links that a path may lead through; more is a circle. */
const MAX_LINKS = 64;

/** A key. Names keep the case in which they were first written and are compared without regard to it. */
export class RegistryKey {
  readonly name: string;
  readonly parent: RegistryKey | null;
  className: string;
  /** Not saved. */
  readonly isVolatile: boolean;
  /** Full path that the key stands for; a path leads on there. */
  linkTarget: string | null = null;
  /** 100-ns units since 1601. */
  lastWriteTime = 0n;
  deleted = false;
  readonly #subkeys = new Map<string, RegistryKey>();
  readonly #values = new Map<string, RegistryValue>();
  #sorted: readonly RegistryKey[] | null = null;

  constructor(name: string, parent: RegistryKey | null, className = '', isVolatile = false) {
    this.name = name;
    this.parent = parent;
    this.className = className;
    this.isVolatile = isVolatile;
  }

  /** `\Registry\Machine\…`. */
  get path(): string {
    return this.parent === null ? '' : `${this.parent.path}\\${this.name}`;
  }

  /** Subkeys in the order in which they are enumerated: by name. */
  get subkeys(): readonly RegistryKey[] {
    this.#sorted ??= [...this.#subkeys.entries()]
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, key]) => key);
    return this.#sorted;
  }

  /** Values in the order in which they were first set. */
  get values(): readonly RegistryValue[] {
    return [...this.#values.values()];
  }

  get valueCount(): number {
    return this.#values.size;
  }

  subkey(name: string): RegistryKey | null {
    return this.#subkeys.get(upcaseName(name)) ?? null;
  }

  /** Makes a subkey that is not there yet. Throws STATUS_CHILD_MUST_BE_VOLATILE below a volatile key, STATUS_KEY_DELETED, name errors. */
  addSubkey(name: string, className = '', isVolatile = false): RegistryKey {
    this.#requireAlive();
    if (name === '' || name.includes('\\'))
      throw new NtError(STATUS_OBJECT_NAME_INVALID, `key name '${name}'`);
    if (name.length > MAX_KEY_NAME_LENGTH)
      throw new NtError(STATUS_NAME_TOO_LONG, `key name of ${name.length} characters`);
    if (this.isVolatile && !isVolatile)
      throw new NtError(STATUS_CHILD_MUST_BE_VOLATILE, `${this.path}\\${name}`);
    const key = new RegistryKey(name, this, className, isVolatile);
    this.#subkeys.set(upcaseName(name), key);
    this.#sorted = null;
    return key;
  }

  /** A value by name ('' is the default value), or null. */
  value(name: string): RegistryValue | null {
    return this.#values.get(upcaseName(name)) ?? null;
  }

  /** Sets a value; an existing one keeps the case of its name. Throws STATUS_KEY_DELETED, STATUS_NAME_TOO_LONG. */
  setValue(name: string, type: number, data: Uint8Array): void {
    this.#requireAlive();
    if (name.length > MAX_VALUE_NAME_LENGTH)
      throw new NtError(STATUS_NAME_TOO_LONG, `value name of ${name.length} characters`);
    const key = upcaseName(name);
    const old = this.#values.get(key);
    this.#values.set(key, { name: old?.name ?? name, type, data: data.slice() });
  }

  /** Sets a value given in the notation of {@link RegistryValueData}. */
  set(name: string, value: RegistryValueData): void {
    const { type, data } = encodeRegistryValue(value);
    this.setValue(name, type, data);
  }

  /** True when it was there. */
  deleteValue(name: string): boolean {
    this.#requireAlive();
    return this.#values.delete(upcaseName(name));
  }

  /** The string of a REG_SZ or REG_EXPAND_SZ value; null when absent or of another type. */
  getString(name: string): string | null {
    const value = this.value(name);
    if (value === null || (value.type !== REG_SZ && value.type !== REG_EXPAND_SZ)) return null;
    return decodeSz(value.data);
  }

  /** The number of a REG_DWORD (either byte order); null when absent or of another type. */
  getDword(name: string): number | null {
    const value = this.value(name);
    if (value === null) return null;
    if (value.type === REG_DWORD) return decodeDword(value.data);
    return value.type === REG_DWORD_BIG_ENDIAN ? decodeDword(value.data, true) : null;
  }

  /** The strings of a REG_MULTI_SZ; null when absent or of another type. */
  getMultiString(name: string): string[] | null {
    const value = this.value(name);
    return value === null || value.type !== REG_MULTI_SZ ? null : decodeMultiSz(value.data);
  }

  /** Deletes the key. Throws STATUS_CANNOT_DELETE while it has subkeys or is a root, STATUS_KEY_DELETED the second time. */
  delete(): void {
    this.#requireAlive();
    if (this.parent === null || this.#subkeys.size > 0) throw new NtError(STATUS_CANNOT_DELETE, this.path);
    this.deleted = true;
    this.parent.#subkeys.delete(upcaseName(this.name));
    this.parent.#sorted = null;
  }

  /** Deletes the key and all below it. */
  deleteTree(): void {
    for (const subkey of [...this.subkeys]) subkey.deleteTree();
    this.delete();
  }

  #requireAlive(): void {
    if (this.deleted) throw new NtError(STATUS_KEY_DELETED, this.path);
  }
}

/** What {@link Registry.toJSON} gives: one key. Data is in hexadecimal. */
export interface RegistryKeyJson {
  readonly name: string;
  readonly class?: string;
  readonly link?: string;
  readonly values?: readonly { readonly name: string; readonly type: number; readonly data: string }[];
  readonly keys?: readonly RegistryKeyJson[];
}

/** A saved registry. Version 1: the tree under `\Registry`, without volatile keys. */
export interface RegistryJson {
  readonly version: 1;
  readonly root: RegistryKeyJson;
}

/** Roots as editors and .reg files call them, and where they are. */
const HIVE_NAMES: readonly (readonly [string, string])[] = [
  ['HKEY_LOCAL_MACHINE', '\\Registry\\Machine'],
  ['HKLM', '\\Registry\\Machine'],
  ['HKEY_USERS', '\\Registry\\User'],
  ['HKU', '\\Registry\\User'],
  ['HKEY_CURRENT_USER', '\\Registry\\User\\.Default'],
  ['HKCU', '\\Registry\\User\\.Default'],
  ['HKEY_CLASSES_ROOT', '\\Registry\\Machine\\SOFTWARE\\Classes'],
  ['HKCR', '\\Registry\\Machine\\SOFTWARE\\Classes'],
];

/**
 * A registry. New ones hold `\Registry\Machine\{HARDWARE,SOFTWARE,SYSTEM}`, `\Registry\User\.Default`, and the link from
 * `CurrentControlSet` to `ControlSet001`. One registry may serve several kernels one after another.
 */
export class Registry {
  readonly #namespace = new RegistryKey('', null);
  readonly #root: RegistryKey;

  constructor() {
    this.#root = this.#namespace.addSubkey('Registry');
    const machine = this.#root.addSubkey('Machine');
    machine.addSubkey('HARDWARE', '', true);
    machine.addSubkey('SOFTWARE');
    const system = machine.addSubkey('SYSTEM');
    system.addSubkey('ControlSet001');
    this.#root.addSubkey('User').addSubkey('.Default');
    this.#addControlSetLink();
  }

  /** The key `\Registry`. */
  get root(): RegistryKey {
    return this.#root;
  }

  // The link is volatile on Windows too: made at every boot, after the choice of a control set.
  #addControlSetLink(): void {
    const system = this.openKey('\\Registry\\Machine\\SYSTEM');
    if (system === null || system.subkey('CurrentControlSet') !== null) return;
    system.addSubkey('CurrentControlSet', '', true).linkTarget = '\\Registry\\Machine\\SYSTEM\\ControlSet001';
  }

  /**
   * The key at a path, links followed, or null. The path is full (`\Registry\Machine\…`, `HKLM\…`) or, with `from`, relative to a
   * key. Throws STATUS_OBJECT_PATH_SYNTAX_BAD for a path that is neither.
   */
  openKey(path: string, from: RegistryKey | null = null): RegistryKey | null {
    return this.#walk(path, from, null)?.key ?? null;
  }

  /** The key at a path, made with all that is missing above it. */
  createKey(path: string, from: RegistryKey | null = null): RegistryKey {
    const found = this.#walk(path, from, { className: '', isVolatile: false, intermediate: true });
    if (found === null) throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, path);
    return found.key;
  }

  /**
   * As ZwCreateKey: opens a key, or makes it when only the last component is missing. Throws STATUS_OBJECT_NAME_NOT_FOUND when more
   * is missing, STATUS_CHILD_MUST_BE_VOLATILE.
   */
  openOrCreateKey(
    path: string,
    from: RegistryKey | null,
    className: string,
    isVolatile: boolean,
  ): { key: RegistryKey; created: boolean } {
    const found = this.#walk(path, from, { className, isVolatile, intermediate: false });
    if (found === null) throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, path);
    return found;
  }

  /** Where a path leads without following a link in its last component; null when it does not exist. */
  openLink(path: string): RegistryKey | null {
    const end = path.lastIndexOf('\\');
    return this.openKey(path.slice(0, end))?.subkey(path.slice(end + 1)) ?? null;
  }

  /** Makes a link key. Throws STATUS_OBJECT_NAME_NOT_FOUND when the key above is missing, STATUS_INVALID_PARAMETER for a relative target. */
  createLink(path: string, target: string): RegistryKey {
    if (!/^\\Registry\\/i.test(target))
      throw new NtError(STATUS_INVALID_PARAMETER, `link target '${target}'`);
    const end = path.lastIndexOf('\\');
    const parent = this.openKey(path.slice(0, end));
    if (parent === null) throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, path);
    const key = parent.addSubkey(path.slice(end + 1), '', parent.isVolatile);
    key.linkTarget = target;
    return key;
  }

  #walk(
    path: string,
    from: RegistryKey | null,
    create: { className: string; isVolatile: boolean; intermediate: boolean } | null,
  ): { key: RegistryKey; created: boolean } | null {
    let components = this.#components(path, from);
    let key = from ?? this.#namespace;
    if (from?.deleted === true) throw new NtError(STATUS_KEY_DELETED, from.path);
    let created = false;
    let links = 0;
    for (let i = 0; i < components.length; i++) {
      const name = components[i] ?? '';
      let next = key.subkey(name);
      if (next === null) {
        const last = i === components.length - 1;
        if (create === null || (!last && !create.intermediate)) return null;
        // Nothing can be made beside \Registry, nor beside Machine and User.
        if (key === this.#namespace || key === this.#root) return null;
        next = key.addSubkey(name, last ? create.className : '', create.isVolatile);
        created = true;
      } else {
        created = false;
      }
      if (next.linkTarget !== null) {
        if (++links > MAX_LINKS) throw new NtError(STATUS_OBJECT_NAME_INVALID, `${path}: links in a circle`);
        components = [...this.#components(next.linkTarget, null), ...components.slice(i + 1)];
        i = -1;
        key = this.#namespace;
        continue;
      }
      key = next;
    }
    return key === this.#namespace ? null : { key, created };
  }

  #components(path: string, from: RegistryKey | null): string[] {
    const full = from === null ? fullPath(path) : path;
    if (from === null && !full.startsWith('\\')) throw new NtError(STATUS_OBJECT_PATH_SYNTAX_BAD, path);
    if (from !== null && full.startsWith('\\')) throw new NtError(STATUS_OBJECT_PATH_SYNTAX_BAD, path);
    const trimmed = full.replace(/^\\/, '').replace(/\\$/, '');
    if (trimmed === '') return [];
    const components = trimmed.split('\\');
    if (components.includes('')) throw new NtError(STATUS_OBJECT_NAME_INVALID, path);
    return components;
  }

  /** The whole registry but volatile keys, for JSON.stringify. */
  toJSON(): RegistryJson {
    return { version: 1, root: keyToJson(this.#root) };
  }

  /** A registry from what {@link toJSON} gave. Throws a SyntaxError that says where the data is wrong. */
  static fromJSON(json: RegistryJson): Registry {
    if (json.version !== 1)
      throw new SyntaxError(`Registry format version ${String(json.version)} is unknown.`);
    const registry = new Registry();
    keyFromJson(registry.#root, json.root, '\\Registry');
    registry.#addControlSetLink();
    return registry;
  }
}

/** `HKLM\SYSTEM` and its like as `\Registry\Machine\SYSTEM`; other paths as they are. */
export function fullPath(path: string): string {
  const end = path.indexOf('\\');
  const hive = (end < 0 ? path : path.slice(0, end)).toUpperCase();
  const root = HIVE_NAMES.find(([name]) => name === hive)?.[1];
  return root === undefined ? path : root + (end < 0 ? '' : path.slice(end));
}

function keyToJson(key: RegistryKey): RegistryKeyJson {
  const keys = key.subkeys.filter((subkey) => !subkey.isVolatile).map(keyToJson);
  const values = key.values.map(({ name, type, data }) => ({ name, type, data: toHex(data) }));
  return {
    name: key.name,
    ...(key.className === '' ? {} : { class: key.className }),
    ...(key.linkTarget === null ? {} : { link: key.linkTarget }),
    ...(values.length === 0 ? {} : { values }),
    ...(keys.length === 0 ? {} : { keys }),
  };
}

function keyFromJson(key: RegistryKey, json: RegistryKeyJson, path: string): void {
  if (json.class !== undefined) key.className = json.class;
  if (json.link !== undefined) key.linkTarget = json.link;
  for (const { name, type, data } of json.values ?? []) {
    if (!/^([0-9a-f]{2})*$/i.test(data))
      throw new SyntaxError(`${path}: data of value '${name}' is no hexadecimal.`);
    key.setValue(name, type, fromHex(data));
  }
  for (const child of json.keys ?? []) {
    keyFromJson(key.subkey(child.name) ?? key.addSubkey(child.name), child, `${path}\\${child.name}`);
  }
}

function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}
