/** IUnknown, interface tokens and GUIDs: what the kernel's COM objects are made of. */
export { GUID, GUID_NULL, guid } from './guid.ts';
export {
  CUnknown,
  IID,
  IID_IUnknown,
  type INonDelegatingUnknown,
  type IUnknown,
  tryQueryInterface,
} from './unknown.ts';
