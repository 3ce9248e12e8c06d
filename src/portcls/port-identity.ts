import { guid, IID, type IUnknown, tryQueryInterface } from '../com/index.ts';
import type { PortBase } from './ports/port-base.ts';

/** PortCls's own interface on its ports: how a port is recognised behind whatever interface a driver passes. */
export const IID_PortClsPort = new IID<PortBase>(
  'IID_PortClsPort',
  guid('{5B0A27E4-91A6-4D4E-8C0E-6C7B1F0D6A11}'),
);

/** The port behind any of its interfaces, aggregates included; null for other objects. No reference is taken. */
export function portOf(unknown: IUnknown): PortBase | null {
  const port = tryQueryInterface(unknown, IID_PortClsPort);
  port?.release();
  return port;
}
