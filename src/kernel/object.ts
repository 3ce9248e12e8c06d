import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import { NtError } from './nt-error.ts';
import { STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH } from './ntstatus.ts';

/** Something that is alive and must be gone when the machine ends: an entry of the leak report. */
export class ObjectRecord {
  /** What it is: 'IMiniportWaveRT', 'KINTERRUPT', 'MDL', 'handle' … */
  readonly kind: string;
  /** Which one; made when it is asked for where objects come and go by the thousand. */
  readonly #name: string | (() => string);
  /** Driver whose code was executing when it was made. */
  readonly driver: string | null;
  /** The object itself when it counts its references. */
  readonly target: { readonly referenceCount: number } | null;
  /** Machine time when it was (last) added. */
  sinceTick = 0;
  previous: ObjectRecord | null = null;
  next: ObjectRecord | null = null;
  listed = false;

  constructor(
    kind: string,
    name: string | (() => string),
    driver: string | null,
    target: { readonly referenceCount: number } | null,
  ) {
    this.kind = kind;
    this.#name = name;
    this.driver = driver;
    this.target = target;
  }

  get name(): string {
    return typeof this.#name === 'string' ? this.#name : this.#name();
  }
}

/** One object that outlived its time. */
export interface Leak {
  readonly kind: string;
  readonly name: string;
  readonly driver: string | null;
  /** References still held; null when the object does not count them. */
  readonly references: number | null;
  readonly sinceTick: number;
}

/** What is still alive. */
export interface LeakReport {
  readonly leaks: readonly Leak[];
}

/** The report as text: one line an object, oldest first; empty when there is nothing. */
export function formatLeakReport(report: LeakReport): string {
  return report.leaks
    .map((leak) => {
      const references = leak.references === null ? '' : `, ${leak.references} reference(s)`;
      return `${leak.kind} '${leak.name}'${references}, of ${leak.driver ?? 'no driver'}, alive since tick ${leak.sinceTick}\n`;
    })
    .join('');
}

/** The living objects of one kernel. */
export class ObjectTracker {
  private readonly clock: { readonly now: number };
  private readonly executing: { readonly currentDriver: string | null };
  private first: ObjectRecord | null = null;
  private last: ObjectRecord | null = null;
  private listedCount = 0;

  constructor(clock: { readonly now: number }, executing: { readonly currentDriver: string | null }) {
    this.clock = clock;
    this.executing = executing;
  }

  /** How many objects are alive. */
  get count(): number {
    return this.listedCount;
  }

  /** Makes an entry and lists it. `target` is given by objects that count references, so that the report can tell how many. */
  register(
    kind: string,
    name: string | (() => string),
    target: { readonly referenceCount: number } | null = null,
  ): ObjectRecord {
    const record = this.createRecord(kind, name, target);
    this.add(record);
    return record;
  }

  /** Makes an entry that is not listed yet, for objects that come and go often (an armed timer). */
  createRecord(
    kind: string,
    name: string | (() => string),
    target: { readonly referenceCount: number } | null = null,
  ): ObjectRecord {
    return new ObjectRecord(kind, name, this.executing.currentDriver, target);
  }

  /** Lists an entry; nothing happens when it is listed. Allocates nothing. */
  add(record: ObjectRecord): void {
    if (record.listed) return;
    record.listed = true;
    record.sinceTick = this.clock.now;
    record.previous = this.last;
    record.next = null;
    if (this.last === null) this.first = record;
    else this.last.next = record;
    this.last = record;
    this.listedCount++;
  }

  /** The object is gone; nothing happens when the entry is not listed. */
  remove(record: ObjectRecord): void {
    if (!record.listed) return;
    record.listed = false;
    if (record.previous === null) this.first = record.next;
    else record.previous.next = record.next;
    if (record.next === null) this.last = record.previous;
    else record.next.previous = record.previous;
    record.previous = null;
    record.next = null;
    this.listedCount--;
  }

  /** What is alive now, oldest first. */
  report(): LeakReport {
    const leaks: Leak[] = [];
    for (let record = this.first; record !== null; record = record.next) {
      leaks.push({
        kind: record.kind,
        name: record.name,
        driver: record.driver,
        references: record.target?.referenceCount ?? null,
        sinceTick: record.sinceTick,
      });
    }
    return { leaks };
  }
}

/**
 * An object of the object manager: counts its references and is in the leak report from {@link obCreateObject} until the last
 * reference goes. Objects embedded in a driver's memory (a KEVENT in a device extension) never pass through obCreateObject.
 */
export abstract class KernelObject {
  /** 0 until the object manager has it, and again after the last reference went. */
  referenceCount = 0;
  /** The object manager's entry, null while it does not manage the object. */
  objectRecord: ObjectRecord | null = null;

  /** Runs when the last reference goes. */
  protected deleteObject(): void {}

  /** For {@link obDereferenceObject} alone. */
  finalizeObject(): void {
    this.deleteObject();
  }
}

/** ObCreateObject: hands an object to the object manager, with one reference for the caller. Returns the object. */
export function obCreateObject<T extends KernelObject>(object: T, kind: string, name: string): T {
  const kernel = currentKernel();
  if (object.objectRecord !== null)
    throw new Error(`${kind} '${name}' already belongs to the object manager.`);
  object.objectRecord = kernel.objects.register(kind, name, object);
  object.referenceCount = 1;
  return object;
}

/** ObReferenceObject: one reference more. Up to DISPATCH_LEVEL. Bugcheck REFERENCE_BY_POINTER after the last reference went. */
export function obReferenceObject(object: KernelObject): void {
  if (object.objectRecord !== null && object.referenceCount <= 0) badReference(object, 'ObReferenceObject');
  object.referenceCount++;
}

/** ObDereferenceObject: one reference less; the last one deletes the object. Bugcheck REFERENCE_BY_POINTER when there was none. */
export function obDereferenceObject(object: KernelObject): void {
  if (object.referenceCount <= 0) badReference(object, 'ObDereferenceObject');
  object.referenceCount--;
  if (object.referenceCount === 0 && object.objectRecord !== null) {
    currentKernel().objects.remove(object.objectRecord);
    object.finalizeObject();
  }
}

function badReference(object: KernelObject, ddi: string): never {
  const record = object.objectRecord;
  return currentKernel().bugcheck(
    BugcheckCode.REFERENCE_BY_POINTER,
    [0, 0, object.referenceCount, 0],
    `${ddi} on ${record?.kind ?? 'an object'} '${record?.name ?? ''}', whose reference count is ${object.referenceCount}.`,
  );
}

/** A handle: a multiple of 4, never 0. */
export type HANDLE = number;

/** The handles of one process. The caller keeps the objects' references; the table only maps. */
export class HandleTable<T extends object> {
  private readonly entries = new Map<HANDLE, T>();
  private readonly freed: HANDLE[] = [];
  private next = 4;

  get size(): number {
    return this.entries.size;
  }

  /** Enters an object; freed handles are used again, last freed first. */
  insert(object: T): HANDLE {
    let handle = this.freed.pop();
    if (handle === undefined) {
      handle = this.next;
      this.next += 4;
    }
    this.entries.set(handle, object);
    return handle;
  }

  /** The object of a handle. Throws STATUS_INVALID_HANDLE. */
  get(handle: HANDLE): T {
    const object = this.entries.get(handle);
    if (object === undefined) throw new NtError(STATUS_INVALID_HANDLE, `${handle}`);
    return object;
  }

  /** The object of a handle when it is of this class. Throws STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH. */
  getOfType<U extends T>(handle: HANDLE, type: abstract new (...args: never[]) => U): U {
    const object = this.get(handle);
    if (!(object instanceof type))
      throw new NtError(STATUS_OBJECT_TYPE_MISMATCH, `handle ${handle} is no ${type.name}`);
    return object;
  }

  /** Takes a handle out and returns its object. Throws STATUS_INVALID_HANDLE. */
  remove(handle: HANDLE): T {
    const object = this.get(handle);
    this.entries.delete(handle);
    this.freed.push(handle);
    return object;
  }

  /** The open handles, in the order in which they were made. */
  handles(): HANDLE[] {
    return [...this.entries.keys()];
  }
}
