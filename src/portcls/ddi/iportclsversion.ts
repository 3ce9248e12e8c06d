import { guid, IID, type IUnknown } from '../../com/index.ts';

/** PortCls versions (DDI page IPortClsVersion::GetVersion). Nothing newer is documented. */
export const kVersionInvalid = -1;
export const kVersionWin98 = 0;
export const kVersionWin98SE = 1;
export const kVersionWin2K = 2;
export const kVersionWin98SE_QFE2 = 3;
export const kVersionWin2K_SP2 = 4;
export const kVersionWinME = 5;
export const kVersionWin98SE_QFE3 = 6;
export const kVersionWinME_QFE1 = 7;
export const kVersionWinXP = 8;
export const kVersionWinXPSP1 = 9;
export const kVersionWinServer2003 = 10;
export const kVersionWin2K_UAAQFE = 11;
export const kVersionWinXP_UAAQFE = 12;
export const kVersionWinServer2003_UAAQFE = 13;

/** From every port by queryInterface (DDI page IPortClsVersion). */
export interface IPortClsVersion extends IUnknown {
  getVersion(): number;
}

export const IID_IPortClsVersion = new IID<IPortClsVersion>(
  'IID_IPortClsVersion',
  guid('{7D89A7BB-869B-4567-8DBE-1E168CC853DE}'),
);
