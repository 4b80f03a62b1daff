// Why something was refused, and what the cashier can do next. The first pair is for what comes as a code only
// (looks and uploads); a refusal brings its own sentence along.

/** @typedef {import("./words.js").Language} Language */

/** @type {Record<string, [string, string, string, string]>} reason, then the next step, each in Chinese and English */
const REASONS = {
  voucher_not_found: ["没有这张券，请核对券码。", "No such voucher; check the code.", "请看清号码再输一次，或请顾客打开“卡包”出示二维码。", "Look again and type it once more, or ask for the QR in the wallet."],
  institution_not_eligible: ["本机构不能使用这种券。", "This institution does not take this type.", "请顾客到券页面“可用机构”里的机构使用。", "The voucher’s page names where it is accepted."],
  bill_fen_required: ["请输入账单金额。", "Enter the bill.", "通用券按账单抵扣，输入金额后再核销。", "General vouchers pay a part of the bill."],
  operator_required: ["请先选择收银员。", "Choose an operator first.", "在“设置”里选择。", "Choose one under “Settings”."],
  operator_unknown: ["收银员不在本机名单中。", "This operator is not on the till’s list.", "请在“设置”里另选，或请主管部门登记。", "Choose another under “Settings”, or have one entered."],
  terminal_paused: ["本终端已暂停核销。", "This till is paused.", "冲正、查询和日结仍可用；恢复请联系主管部门。", "You can still reverse, look up and close the day; ask the bureau to resume it."],
  institution_paused: ["本机构已暂停核销。", "This institution is paused.", "冲正、查询和日结仍可用；恢复请联系主管部门。", "You can still reverse, look up and close the day; ask the bureau to resume it."],
  institution_closed: ["本机构已退出。", "This institution has left.", "请联系主管部门。", "Please ask the bureau."],
  voucher_revoked: ["这张券已作废。", "This voucher was revoked.", "请顾客换一张券，或正常付款。", "Ask for another voucher, or for payment."],
  already_redeemed: ["这张券已经用过了。", "This voucher was used already.", "不要再提供服务；刚刚在本机核销过的，可在“查询”里看。", "Do not serve on it again; “Look up” shows what this till wrote off."],
  not_yet_valid: ["这张券还没到使用时间。", "This voucher is not good yet.", "请顾客在有效期内再来。", "Ask the customer to come while it is good."],
  voucher_expired: ["这张券已过期。", "This voucher has expired.", "请顾客换一张券，或正常付款。", "Ask for another voucher, or for payment."],
  token_expired: ["二维码已过期，请顾客刷新后再扫。", "The QR is too old; ask the customer to refresh it.", "截图不能用：请顾客打开券页面，二维码会自动刷新。", "A screenshot is not enough: the open page refreshes it by itself."],
  too_late: ["超过上传时限。", "Uploaded too late.", "这一笔不能入账，请联系主管部门。", "It cannot be taken any more; ask the bureau."],
  offline_cap: ["超过当天离线上限。", "Above the day’s offline limit.", "这一笔不能入账；当天请等网络恢复再核销。", "It cannot be taken; wait for the network today."],
  request_no_reused: ["单号已用于另一笔。", "The number was used for another.", "请从“核销”重新开始这一笔。", "Begin this one anew."],
  reversed_before_arrival: ["已撤销。", "It was cancelled.", "如顾客仍要使用，请重新核销。", "Write it off anew if the customer still wants it."],
  used_at_in_future: ["使用时间在未来，请检查本机时钟。", "Time of use in the future; check the clock.", "请校准本机时钟，再重新核销。", "Set the clock right and write it off anew."],
  conflict: ["在您上传之前，这张券已在别处使用。", "It was used elsewhere before your upload.", "这一笔不结算，平台已立案；请保留小票，等主管部门联系。", "It is not paid, and a case is open; keep the slip until the bureau asks."],
  already_reversed: ["这一笔已冲正。", "It was reversed already.", "不用再做；在“查询”里可以看到。", "Nothing to do; “Look up” shows it."],
  already_settled: ["这一笔已结算。", "It is settled.", "终端不能冲正，请联系主管部门更正。", "Ask the bureau to correct it."],
  reversal_by_staff_only: ["这种券由工作人员冲正。", "Only staff reverse this type.", "请联系主管部门，报出单号。", "Ask the bureau, and tell the number."],
  not_reversible: ["这种券核销后不能冲正。", "This type cannot be reversed.", "如确有差错，请联系主管部门。", "Ask the bureau if something went wrong."],
  reversal_window_over: ["已超过冲正时限。", "It is too late to reverse.", "请联系主管部门办理，报出单号。", "Ask the bureau, and tell the number."],
  original_ambiguous: ["多台终端用过这个单号。", "Several tills used this number.", "请到原来的终端上冲正。", "Reverse it at the till that made it."],
  result_reported: ["服务结果已上报。", "Its result was reported.", "终端不能冲正，请联系主管部门。", "Only the bureau can undo it."],
  result_already_reported: ["这一笔的结果已上报。", "Its result was reported already.", "不用再报；报错了请联系主管部门。", "Nothing to do; ask the bureau if it was wrong."],
  reports_no_result: ["这种券不用上报结果。", "This type has no result to report.", "不用上报。", "Nothing to do."],
  redemption_reversed: ["这一笔已冲正，不能上报。", "It was reversed; nothing can be reported.", "请核对单号。", "Check which write-off it is."],
  manual_not_offered: ["没有开通凭身份证核销。", "Writing off by id number is not offered.", "请顾客出示二维码或报券码。", "Ask for the QR or the code."],
  no_voucher_of_holder: ["没有找到可用的券。", "No voucher was found.", "请核对身份证号和券种；也可能已经用过或过期。", "Check number and type; it may be used or expired."],
  id_number_invalid: ["身份证号有误。", "The id number is wrong.", "请对照身份证逐位检查。", "Compare it with the card."],
  too_many_requests: ["操作太频繁。", "Too often.", "请过十分钟再试。", "Try again in ten minutes."],
  too_many_wrong_codes: ["输错的券码太多，已暂时锁定。", "Too many wrong codes: locked for a while.", "请十分钟后再试，或请主管部门解锁；冲正、日结仍可用。", "Try again in ten minutes, or have it unlocked; reversals and the day’s close still work."],
  activation_code_unknown: ["激活码不对，或已用过、已过期。", "The code is wrong, used or expired.", "请逐字核对；仍不行，请主管部门重新生成。", "Check it sign by sign; else ask for a new one."],
  bad_signature: ["平台不认识本机的密钥。", "The platform does not know this key.", "请联系主管部门换发激活码，重新激活本机。", "Ask the bureau for a new activation code."],
  unauthenticated: ["平台不认识本机。", "The platform does not know this till.", "请联系主管部门换发激活码，重新激活本机。", "Ask the bureau for a new activation code."],
  clock_skew: ["本机时钟与平台相差过大。", "This clock is too far from the platform’s.", "请校准本机的日期和时间。", "Set date and time right."],
  replayed: ["这次请求已经发送过。", "It was sent already.", "请再试一次。", "Try once more."],
  request_unknown: ["平台没有这个单号。", "The platform does not know this number.", "请核对单号；离线收下的请先上传。", "Check it; upload first what was taken offline."],
  not_found: ["没有找到这一笔。", "It was not found.", "请核对单号。", "Check the number."],
  forbidden: ["本机不能办理这一项。", "This till may not do that.", "请联系主管部门。", "Please ask the bureau."],
  invalid_request: ["填写的内容有误。", "Something is not filled in right.", "请检查后再试。", "Check it and try again."],
  payload_too_large: ["内容过大。", "It is too large.", "请联系主管部门。", "Please ask the bureau."],
  unsupported_media_type: ["本页版本过旧。", "This page is too old.", "请刷新本页。", "Reload this page."],
  method_not_allowed: ["本页版本过旧。", "This page is too old.", "请刷新本页。", "Reload this page."],
};

/** @type {Record<string, [string, string]>} what a fault of a request is about, by the last part of its place */
const FIELDS = {
  activation_code: ["激活码", "Activation code"],
  voucher: ["券码", "Voucher code"],
  bill_fen: ["账单金额", "Bill"],
  used_at: ["使用时间", "Time of use"],
  operator: ["收银员", "Operator"],
  request_no: ["单号", "Number"],
  original_request_no: ["原单号", "Number of the write-off"],
  reason: ["原因", "Reason"],
  id_number: ["身份证号", "Id number"],
  voucher_type: ["券种", "Type"],
  report_no: ["报告编号", "Report number"],
  performed_at: ["检测时间", "Performed at"],
  date: ["日期", "Date"],
};

/**
 * What to look at again. The platform's own words for a fault are English and for whoever writes software.
 * @param {Language} language @param {{loc: string, message: string}} fault
 */
export function faultOf(language, fault) {
  const field = FIELDS[fault.loc.split(".").slice(-1)[0]];
  if (language === "en") return field ? `${field[1]}: ${fault.message}` : fault.message;
  return field ? `请检查：${field[0]}` : "";
}

/** @param {Language} language @param {string} code */
export function reason(language, code) {
  const found = REASONS[code];
  return found ? found[language === "en" ? 1 : 0] : code;
}

/** What can be done after it; nothing where nobody knows better. @param {Language} language @param {string} code */
export function advice(language, code) {
  const found = REASONS[code];
  return found ? found[language === "en" ? 3 : 2] : "";
}
