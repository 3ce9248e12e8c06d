import {
  BugcheckCode,
  currentKernel,
  type Kernel,
  NtError,
  type ObjectRecord,
  type ObjectTracker,
  STATUS_INVALID_PARAMETER,
} from '../kernel/index.ts';
import { type GUID, guid } from './guid.ts';

/**
 * An interface identifier that carries the interface's type: `object.queryInterface(IID_IPortEvents)` is an IPortEvents.
 * Immutable; one constant per interface. Two tokens with the same GUID mean the same interface.
 */
export class IID<T> {
  /** `IID_IPortEvents`, for traces and reports. */
  readonly name: string;
  readonly guid: GUID;
  /** Never set: keeps T in the token's type. */
  declare readonly interfaceType?: T;

  constructor(name: string, guid: GUID) {
    this.name = name;
    this.guid = guid;
  }

  equals(other: IID<unknown>): boolean {
    return this === other || this.guid.equals(other.guid);
  }
}

/**
 * The base of every COM object in the kernel. Whoever receives an interface (by queryInterface, from a DDI, from a
 * constructor) owns one reference and gives it back with release, or with `using`. An interface that is passed in stays the
 * caller's: whoever keeps it calls addRef (audio docs, "Reference-Counting Conventions for COM Objects").
 */
export interface IUnknown extends Disposable {
  /** The object's interface of that kind, with a reference for the caller. Throws NtError STATUS_INVALID_PARAMETER when absent. */
  queryInterface<T>(iid: IID<T>): T;
  /** Returns the new count, for tests and traces only. */
  addRef(): number;
  /** Returns the new count; the object ends when it reaches 0. */
  release(): number;
}

export const IID_IUnknown = new IID<IUnknown>('IID_IUnknown', guid('{00000000-0000-0000-C000-000000000046}'));

/**
 * An object's own IUnknown, which never delegates to an outer object: what the creator of an aggregated object keeps. In
 * stdunk.h the three methods have names of their own, but the same table of functions.
 */
export type INonDelegatingUnknown = IUnknown;

/** queryInterface that answers null for an absent interface. The reference is the caller's. Other failures are thrown on. */
export function tryQueryInterface<T>(object: IUnknown, iid: IID<T>): T | null {
  try {
    return object.queryInterface(iid);
  } catch (error) {
    if (error instanceof NtError) return null;
    throw error;
  }
}

/** Does the object have its own addRef and release, as every interface of a COM object does? */
function isUnknown(object: object): object is IUnknown {
  return 'addRef' in object && typeof object.addRef === 'function';
}

/**
 * Implements {@link IUnknown} as stdunk.h's CUnknown does: reference counting and aggregation. The creator holds the first
 * reference. The object stands in the current kernel's leak report, by its name, until its last release.
 *
 * With an outer unknown the object is *aggregated*: its public IUnknown methods go to the outer object, and the outer object
 * keeps `nonDelegating`, the one way to the inner object's own count.
 *
 * Calls of any of these methods after the last release are a bugcheck REFERENCE_BY_POINTER. Any IRQL, although finalRelease
 * of a particular class may demand less.
 */
export abstract class CUnknown implements IUnknown {
  /** Class name for traces and the leak report. */
  readonly unknownName: string;
  /** This object's own IUnknown. Holds the creator's reference at first. */
  readonly nonDelegating: INonDelegatingUnknown;
  readonly #outerUnknown: IUnknown | null;
  readonly #tracker: ObjectTracker;
  readonly #record: ObjectRecord;
  #references = 1;

  /**
   * @param name for traces, bugchecks and the leak report: 'CMiniportWaveRTAC97'
   * @param outerUnknown the aggregating object; not referenced, since it outlives this one
   */
  constructor(name: string, outerUnknown: IUnknown | null = null) {
    this.unknownName = name;
    this.#outerUnknown = outerUnknown;
    this.nonDelegating = new NonDelegatingUnknown(this);
    this.#tracker = currentKernel().objects;
    this.#record = this.#tracker.register('COM object', name, this);
  }

  /** The object whose IUnknown clients see: the outer one of an aggregate, else this. */
  get outerUnknown(): IUnknown {
    return this.#outerUnknown ?? this;
  }

  /** The current count, for tests and reports. */
  get referenceCount(): number {
    return this.#references;
  }

  queryInterface<T>(iid: IID<T>): T {
    const outer = this.#outerUnknown;
    return outer === null ? this.queryOwnInterface(iid) : outer.queryInterface(iid);
  }

  addRef(): number {
    const outer = this.#outerUnknown;
    return outer === null ? this.addOwnReference() : outer.addRef();
  }

  release(): number {
    const outer = this.#outerUnknown;
    return outer === null ? this.releaseOwnReference() : outer.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /**
   * The object that implements `iid`, or null: to be overridden, ending in `return super.nonDelegatingQueryInterface(iid)`.
   * No reference is added here; queryInterface does that.
   */
  protected nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (!iid.equals(IID_IUnknown)) return null;
    // An object that stands alone has one identity, itself, so that pointers to it may be compared.
    return this.#outerUnknown === null ? this : this.nonDelegating;
  }

  /** Runs when the last reference is gone, as a destructor does: release what the object holds. */
  protected finalRelease(): void {}

  /** Bugchecks when the object has ended: for methods of a class that checks its own callers. */
  protected requireAlive(method: string): void {
    if (this.#references <= 0) this.#bugcheckDead(method);
  }

  /** NonDelegatingQueryInterface. Use {@link nonDelegating}. */
  queryOwnInterface<T>(iid: IID<T>): T {
    if (this.#references <= 0) this.#bugcheckDead(`QueryInterface(${iid.name})`);
    const found = this.nonDelegatingQueryInterface(iid);
    if (found === null) throw new NtError(STATUS_INVALID_PARAMETER, `${this.unknownName} has no ${iid.name}`);
    // An interface of an aggregate counts on the outer object, IUnknown itself on the inner one: COM's aggregation rule.
    if (isUnknown(found)) found.addRef();
    else this.addRef();
    return found as T;
  }

  /** NonDelegatingAddRef. Use {@link nonDelegating}. */
  addOwnReference(): number {
    if (this.#references <= 0) this.#bugcheckDead('AddRef');
    this.#references += 1;
    return this.#references;
  }

  /** NonDelegatingRelease. Use {@link nonDelegating}. */
  releaseOwnReference(): number {
    if (this.#references <= 0) this.#bugcheckDead('Release');
    this.#references -= 1;
    if (this.#references > 0) return this.#references;
    // The destructor may still pass this object to helpers that add and release a reference (stdunk.h keeps the count at 1
    // for the same reason).
    this.#references = 1;
    this.finalRelease();
    this.#references = 0;
    this.#tracker.remove(this.#record);
    return 0;
  }

  #bugcheckDead(method: string): never {
    const kernel: Kernel = currentKernel();
    kernel.bugcheck(
      BugcheckCode.REFERENCE_BY_POINTER,
      [0, 0, 0, 0],
      `${method} on ${this.unknownName} after its last Release.`,
      { method: `${this.unknownName}::${method}` },
    );
  }
}

class NonDelegatingUnknown implements IUnknown {
  readonly #object: CUnknown;

  constructor(object: CUnknown) {
    this.#object = object;
  }

  queryInterface<T>(iid: IID<T>): T {
    return this.#object.queryOwnInterface(iid);
  }

  addRef(): number {
    return this.#object.addOwnReference();
  }

  release(): number {
    return this.#object.releaseOwnReference();
  }

  [Symbol.dispose](): void {
    this.#object.releaseOwnReference();
  }
}
