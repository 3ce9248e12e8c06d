import { CUnknown, type IID } from '../../com/index.ts';
import { IID_IServiceSink, type IServiceSink } from '../ddi/index.ts';

/** A port's member of a service group, which calls back. */
export class CallbackSink extends CUnknown implements IServiceSink {
  readonly #service: () => void;

  /** `service` runs at DISPATCH_LEVEL. */
  constructor(name: string, service: () => void) {
    super(name);
    this.#service = service;
  }

  requestService(): void {
    this.#service();
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IServiceSink) ? this : super.nonDelegatingQueryInterface(iid);
  }
}
