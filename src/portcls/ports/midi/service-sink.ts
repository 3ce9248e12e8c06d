import { CUnknown, type IID } from '../../../com/index.ts';
import { IID_IServiceSink, type IServiceGroup, type IServiceSink } from '../../ddi/index.ts';

/** The member that the port puts into a miniport's service groups: one for the filter, one for each stream with its own group. */
export class MidiServiceSink extends CUnknown implements IServiceSink {
  readonly #serve: () => void;
  #group: IServiceGroup | null = null;

  constructor(name: string, serve: () => void) {
    super(name);
    this.#serve = serve;
  }

  /** The group that this sink is in. */
  get group(): IServiceGroup | null {
    return this.#group;
  }

  /** Joins a group, leaving the one before, and takes over the caller's reference to it. PASSIVE_LEVEL. */
  join(group: IServiceGroup): void {
    if (group === this.#group) {
      group.release();
      return;
    }
    this.leave();
    group.addMember(this);
    this.#group = group;
  }

  /** Leaves the group and lets go of it. PASSIVE_LEVEL. */
  leave(): void {
    const group = this.#group;
    if (group === null) return;
    this.#group = null;
    group.removeMember(this);
    group.release();
  }

  requestService(): void {
    this.#serve();
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IServiceSink) ? this : super.nonDelegatingQueryInterface(iid);
  }
}
