import type { GUID } from '../com/index.ts';
import { ioRegisterDeviceInterface, ioSetDeviceInterfaceState, NtError, TraceKind } from '../kernel/index.ts';
import { KSCATEGORY_AUDIO } from '../ks/index.ts';
import type { AdapterDevice } from './adapter-device.ts';
import type { PortBase } from './ports/port-base.ts';

/** A registered subdevice: a port under a reference string, with one device interface per category. */
export class Subdevice {
  readonly device: AdapterDevice;
  /** Reference string: clients open `<device interface>\<name>`. */
  readonly name: string;
  readonly port: PortBase;
  readonly categories: readonly GUID[];
  readonly #links: { readonly category: GUID; readonly symbolicLink: string; enabled: boolean }[] = [];

  constructor(device: AdapterDevice, name: string, port: PortBase) {
    this.device = device;
    this.name = name;
    this.port = port;
    this.categories = port.categories;
  }

  /** Registers and enables the interfaces, and takes a reference to the port. On failure nothing stays. */
  register(): void {
    const { physicalDeviceObject, kernel } = this.device;
    try {
      for (const category of this.categories) {
        const symbolicLink = ioRegisterDeviceInterface(physicalDeviceObject, category.toString(), this.name);
        const link = { category, symbolicLink, enabled: false };
        this.#links.push(link);
        ioSetDeviceInterfaceState(symbolicLink, true);
        link.enabled = true;
      }
    } catch (error) {
      this.disableInterfaces();
      throw error;
    }
    this.port.addRef();
    if ((kernel.trace.mask & TraceKind.Pnp) !== 0) {
      kernel.trace.emit(TraceKind.Pnp, 'I', 'PortCls', 'PcRegisterSubdevice', {
        driver: this.device.driverName,
        name: this.name,
        categories: this.categories.length,
      });
    }
  }

  /** Interfaces off: clients are told, new opens fail. Safe to repeat. */
  disableInterfaces(): void {
    for (const link of this.#links) {
      if (!link.enabled) continue;
      link.enabled = false;
      try {
        ioSetDeviceInterfaceState(link.symbolicLink, false);
      } catch (error) {
        // The PnP manager may have taken the interfaces away with the device.
        if (!(error instanceof NtError)) throw error;
      }
    }
  }

  unregister(): void {
    this.disableInterfaces();
    const { kernel } = this.device;
    if ((kernel.trace.mask & TraceKind.Pnp) !== 0) {
      kernel.trace.emit(TraceKind.Pnp, 'I', 'PortCls', 'UnregisterSubdevice', {
        driver: this.device.driverName,
        name: this.name,
      });
    }
  }

  releasePort(): void {
    this.port.release();
  }

  /** The link under which clients find the filter: that of KSCATEGORY_AUDIO, else of the first category; null without any. */
  get symbolicLink(): string | null {
    const audio = this.#links.find((link) => link.category.equals(KSCATEGORY_AUDIO));
    return (audio ?? this.#links[0])?.symbolicLink ?? null;
  }

  /** The interface of one category, or null. */
  symbolicLinkOf(category: GUID | null): string | null {
    if (category === null) return this.symbolicLink;
    return this.#links.find((link) => link.category.equals(category))?.symbolicLink ?? null;
  }
}
