// What is said, in Chinese and in English, and what somebody who was refused can do next. The sentences of
// refusals themselves come from the platform.

/** @typedef {"zh" | "en"} Language */

/** @type {Record<string, [string, string]>} */
const WORDS = {
  title: ["健康消费券", "Health vouchers"],
  home: ["首页", "Home"],
  wallet: ["卡包", "Wallet"],
  history: ["记录", "History"],
  me: ["我的", "Me"],
  back: ["返回", "Back"],
  loading: ["正在加载…", "Loading…"],
  again: ["重试", "Try again"],
  welcome: ["参与活动，赢取健康消费券", "Take part and win health vouchers"],
  how: ["怎样领到券", "How it works"],
  how1: ["答题、活动、转发、线索、健身，任选一种", "Take part in one of the ways"],
  how2: ["每次参与得到抽奖机会", "Taking part earns chances"],
  how3: ["中奖后选择想要的券", "Choose a voucher when you win"],
  how4: ["到服务机构出示二维码", "Show the code where it is accepted"],
  platform: ["全民健康消费券", "Health vouchers"],
  phaseOpen: ["第 {n} 期进行中", "Phase {n} is open"],
  phaseEnds: ["距本期结束还有 {left}", "{left} left in this phase"],
  daysHours: ["{d} 天 {h} 小时", "{d} d {h} h"],
  hoursMinutes: ["{h} 小时 {m} 分钟", "{h} h {m} min"],
  waysCount: ["种参与方式", "ways to take part"],
  typesCount: ["种券任选", "types to choose from"],
  leftCount: ["张券待领取", "vouchers left"],
  step1: ["参与", "Take part"],
  step2: ["抽奖", "Draw"],
  step3: ["领券", "Choose"],
  step4: ["使用", "Use"],
  way_quiz: ["答题", "Quiz"],
  way_share: ["关注转发", "Follow and share"],
  way_lead: ["提供线索", "Report"],
  way_event: ["线下活动", "Events"],
  way_fitness: ["全民健身", "Sports"],
  quizAbout: ["{n} 道题，{minutes} 分钟，{pass} 分通过", "{n} questions, {minutes} min, pass mark {pass}"],
  chancesNow: ["抽奖机会", "Chances"],
  drawsNow: ["今天还可抽", "Draws left today"],
  vouchersNow: ["本期还可得券", "Vouchers possible"],
  signInDemo: ["体验登录", "Try it (demonstration)"],
  signInElsewhere: ["请在微信或支付宝小程序中打开本页登录。", "Please open this page in the WeChat or Alipay mini-program to sign in."],
  signInAgain: ["请重新登录", "Please sign in again"],
  today: ["今天可以做什么", "What you can do today"],
  chances: ["抽奖机会", "Chances to draw"],
  chancesN: ["{n} 次抽奖机会", "{n} chances to draw"],
  goDraw: ["去抽奖", "Draw now"],
  goQuiz: ["去答题", "Start the quiz"],
  goOn: ["继续答题", "Go on with the quiz"],
  goOnText: ["您有一份未交的答卷，时间还在走。", "You have a quiz under way; its time is running."],
  goClaim: ["去选券", "Choose a voucher"],
  awardsN: ["您中奖了，有 {n} 张券待领取", "You have won: {n} to claim"],
  earns: ["每次得 {n} 次抽奖机会", "Earns {n} chance(s) each time"],
  earnsReview: ["审核通过后得 {n} 次抽奖机会", "Earns {n} chance(s) once accepted"],
  leftN: ["今天还可 {n} 次", "{n} left today"],
  leftNone: ["今天已用完，明天再来", "Done for today; come back tomorrow"],
  leftFree: ["不限次数", "As often as you like"],
  doneN: ["今天已参与 {n} 次", "{n} done today"],
  drawsLeft: ["今天还可抽 {n} 次", "{n} draws left today"],
  vouchersLeft: ["本期还可得 {n} 张券", "{n} more vouchers possible in this phase"],
  noPhase: ["现在没有进行中的活动", "Nothing is open at the moment"],
  nextPhase: ["下一期 {at} 开始", "The next phase opens at {at}"],
  ended: ["活动已经结束，已领的券仍可在有效期内使用。", "The campaign is over; vouchers stay good until they expire."],
  odds: ["每次抽奖的中奖概率", "Each draw wins with"],
  assumed: ["假定", "Assumed"],
  assumedText: ["标“假定”的数字未曾公布，是演示用的假设。", "Figures marked “assumed” were never published; they stand in for the demonstration."],
  stock: ["本期剩余", "Left in this phase"],
  question: ["第 {n} 题，共 {of} 题", "Question {n} of {of}"],
  several: ["多选题：可选多项", "Choose all that apply"],
  single: ["单选题", "Choose one"],
  timeLeft: ["剩余时间", "Time left"],
  next: ["下一题", "Next"],
  previous: ["上一题", "Previous"],
  review: ["检查答卷", "Check your answers"],
  reviewText: ["已答 {n} 题，共 {of} 题。可以点题号回去修改。", "{n} of {of} answered. Tap a number to change it."],
  handIn: ["交卷", "Hand in"],
  keptHere: ["网络不通，答案已存在手机上，恢复后会自动保存。", "No network: your answers are kept on this phone."],
  lastMinute: ["还剩 1 分钟", "One minute left"],
  lastSeconds: ["还剩 10 秒", "Ten seconds left"],
  timeUp: ["时间到了，这份答卷已失效。", "Time is up; this attempt is over."],
  passed: ["答题通过！", "You passed!"],
  failed: ["这次没有通过", "Not passed this time"],
  score: ["得分 {score} 分（{pass} 分通过）", "Score {score} (pass mark {pass})"],
  gained: ["获得 {n} 次抽奖机会", "You earned {n} chance(s)"],
  explain: ["看看每题的解析", "See the explanations"],
  right: ["答对", "Right"],
  wrong: ["答错", "Wrong"],
  rightAnswer: ["正确答案：{keys}", "Right answer: {keys}"],
  tryQuiz: ["再答一次", "Try again"],
  tryTomorrow: ["今天的答题次数用完了，明天 0 点后再来，或者换一种方式参与。", "No attempts left today. Come back tomorrow, or take part in another way."],
  drawing: ["正在开奖…", "Drawing…"],
  won: ["恭喜中奖！", "You won!"],
  wonText: ["请在 {at} 前选择一张券，过期作废。", "Choose a voucher before {at}."],
  timeToClaim: ["还有 {left}", "{left} left"],
  awardOver: ["这个奖项已超过领取期限。", "The time to claim this is over."],
  notThere: ["没有找到您要的内容。", "This was not found."],
  lost: ["这次没有抽中", "Not this time"],
  lostText: ["谢谢您的参与。每次抽奖的中奖概率是 {odds}，抽中与否可以自己验证。", "Thank you for taking part. Each draw wins with {odds}; you can check it yourself."],
  lostMore: ["您还有 {n} 次机会。", "You have {n} more chance(s)."],
  lostWays: ["参与其他方式可以再得机会。", "Other ways earn more chances."],
  lostTomorrow: ["今天的抽奖次数用完了，明天 0 点后可以再抽，机会为您保留。", "No draws left today. Your chances are kept; draw again tomorrow."],
  drawAgain: ["再抽一次", "Draw again"],
  otherWays: ["看看其他方式", "Other ways"],
  lostAgainAt: ["{at} 后可以再抽，机会为您保留。", "Draw again after {at}; your chances are kept."],
  drawnAt: ["{at} 的抽奖", "Drawn on {at}"],
  verifyMine: ["验证我的抽奖", "Check my draws"],
  verifyText: ["每次抽奖的结果由公布前已锁定的种子算出。活动期结束后种子公开，这里用它在您的手机上重新计算。", "Every draw follows from a seed that was locked before the phase. After the phase the seed is public, and your phone recomputes your draws with it."],
  verifyLater: ["本期结束、种子公布后可以验证。", "Can be checked once the phase has closed and its seed is public."],
  verifyGood: ["一致：结果与公布的种子、概率相符。", "Sound: it follows from the published seed and odds."],
  verifyBad: ["不一致！请向主管部门反映，并出示本页。", "Not sound! Please report this page."],
  verifyAll: ["验证整期所有抽奖", "Check all draws of the phase"],
  noDraws: ["还没有抽过奖。", "No draws yet."],
  choose: ["选一张想要的券", "Choose your voucher"],
  types: ["可以领到的券", "What you can win"],
  value: ["面值", "Value"],
  valueUpTo: ["价值", "Worth"],
  left: ["剩余 {n} 张", "{n} left"],
  goneNow: ["已领完", "None left"],
  comesAgain: ["{at} 再放出", "More at {at}"],
  days: ["领取后 {n} 天内有效", "Good for {n} days"],
  where: ["可用机构", "Where to use it"],
  whereN: ["共 {n} 家", "{n} places"],
  whereLost: ["网络不通，没有取到机构名单。", "No network: the list could not be fetched."],
  whereAll: ["全部县市", "All counties"],
  whereNone: ["暂无可用机构。", "No institution yet."],
  claim: ["领这张", "Take this one"],
  claimSure: ["确定领取“{name}”？领取后不能更换。", "Take “{name}”? It cannot be exchanged."],
  sure: ["确定领取", "Yes, take it"],
  cancel: ["再想想", "Not yet"],
  claimed: ["领取成功", "It is yours"],
  noVouchers: ["还没有券。参与活动，赢取第一张吧。", "No vouchers yet. Take part to win your first."],
  issued: ["可使用", "Ready to use"],
  redeemed: ["已使用", "Used"],
  expired: ["已过期", "Expired"],
  revoked: ["已作废", "Revoked"],
  expiresIn: ["还有 {left} 到期", "Expires in {left}"],
  until: ["有效期至 {at}", "Good until {at}"],
  usedAt: ["{at} 使用", "Used at {at}"],
  showCode: ["向店员出示二维码，或报下面的数字", "Show the code, or read out the digits below"],
  refreshIn: ["{n} 秒后自动刷新", "Refreshes in {n} s"],
  useDirected: ["怎样使用：到可用机构接受服务，结账时出示二维码，本券服务不用另付钱。", "How to use it: have the service where the voucher is accepted and show the code. The service costs you nothing."],
  useGeneral: ["怎样使用：到可用机构消费，结账时出示二维码，最多抵 {value}，不足部分自付。只能用一次，不找零。", "How to use it: show the code when you pay where the voucher is accepted. It takes off up to {value}; you pay the rest. Good once, no change given."],
  offlineCode: ["没有网络：二维码暂时不能刷新，请报下面的券码。", "No network: please read out the digits below."],
  codeDigits: ["券码", "Voucher code"],
  identityTitle: ["确认身份后抽奖", "Confirm who you are"],
  identityText: ["每人只能以一个身份参与。姓名和身份证号只用于核对，加密保存。", "Each person takes part once. Name and number are only used to check this, and are kept encrypted."],
  name: ["姓名", "Name"],
  idNumber: ["身份证号", "ID number"],
  agree: ["我已阅读并同意", "I have read and agree to"],
  consentDefault: ["个人信息处理说明", "the notice on personal data"],
  confirm: ["确认", "Confirm"],
  demoIdentity: ["使用示例身份", "Use an example identity"],
  identityDone: ["身份已确认", "Identity confirmed"],
  identityOpen: ["身份未确认（抽奖前需要）", "Identity not confirmed (needed before a draw)"],
  checkInCode: ["签到码", "Check-in code"],
  checkInText: ["在活动现场扫描海报上的二维码，或输入签到码。", "Scan the poster’s code at the event, or type it in."],
  checkIn: ["签到", "Check in"],
  eventsNow: ["近期活动", "Events"],
  noEvents: ["暂无公布的活动。", "No events announced."],
  shareText: ["填写转发内容的网址和文字，核对通过后得到机会。", "Give the address and text of what you shared; chances come once it is checked."],
  shareKind: ["类型", "What"],
  forwarded: ["转发评论", "Shared a post"],
  followed: ["关注公众号", "Followed the account"],
  registered: ["注册应用", "Registered with the app"],
  url: ["网址", "Address"],
  content: ["文字内容", "Text"],
  leadText: ["反映不文明、不卫生的行为线索，核实后得到机会。请勿填写他人姓名、电话。", "Report unhealthy behaviour; chances come once it is verified. Do not name people."],
  category: ["类别", "Category"],
  place: ["地点", "Place"],
  description: ["情况说明", "What happened"],
  photoRefused: ["照片“{name}”没有传上：{reason}", "“{name}” was not taken: {reason}"],
  photoLost: ["照片“{name}”没有传上：网络不通，请再提交一次，已传上的不会重复。", "“{name}” was not sent: no network. Send again; photos that arrived are not sent twice."],
  checkInTitle: ["扫码签到", "Check in"],
  choosePhotos: ["选择照片", "Choose photos"],
  noPhotos: ["还没有选择照片", "No photos chosen"],
  photosMax: ["最多 {n} 张，后面的不会上传。", "At most {n}; the rest is not sent."],
  categoryHint: ["例如：垃圾清扫、公厕卫生、集市卫生", "For example: litter, public toilets, markets"],
  placeHint: ["例如：蒙自市人民路菜市场东门", "For example: east gate of the market, Renmin Road"],
  wayOver: ["今天这种方式已经用完，明天 0 点后再来，或换一种方式。", "Nothing left of this today. Come back tomorrow, or take another way."],
  photos: ["照片（选填，最多 6 张）", "Photos (optional, up to 6)"],
  send: ["提交", "Send"],
  pendingText: ["工作人员审核后，机会会自动到账，结果在“记录”里查看。", "Your chances come by themselves once it has been checked; see “History”."],
  placesLeft: ["还有 {n} 个名额", "{n} places left"],
  pending: ["已提交，等待审核", "Sent; waiting to be checked"],
  accepted: ["已通过", "Accepted"],
  rejected: ["未通过", "Not accepted"],
  notices: ["消息", "Messages"],
  more: ["查看更多", "Show more"],
  unreadN: ["{n} 条未读消息", "{n} unread messages"],
  unread: ["未读", "New"],
  readAll: ["全部标为已读", "Mark all as read"],
  noticeSettings: ["消息通知", "How you are told"],
  noticeLanguage: ["消息语言", "Language of messages"],
  smsOn: ["短信发到 {phone}", "Text messages go to {phone}"],
  smsOff: ["短信通知未开通，消息显示在“记录”里。", "Text messages are off; messages are shown under “History”."],
  smsNotOffered: ["本平台未开通短信，消息显示在“记录”里。", "This platform sends no text messages; messages are shown under “History”."],
  phone: ["手机号", "Mobile number"],
  smsStart: ["开通短信", "Switch on text messages"],
  smsStop: ["关闭短信，并删除手机号", "Switch off, and forget the number"],
  phoneCode: ["发到 {phone} 的 6 位验证码", "6 digits sent to {phone}"],
  phoneConfirm: ["确认手机号", "Confirm the number"],
  saved: ["已保存", "Saved"],
  consentMine: ["个人信息授权", "Consent to the use of personal data"],
  consentNone: ["您还没有同意过授权书（确认身份时会请您阅读）。", "You have not agreed to anything yet."],
  consentGiven: ["{at} 您同意了授权书（版本 {version}）。", "You agreed on {at} (version {version})."],
  consentGone: ["您已撤回同意。", "You withdrew your consent."],
  consentWithdraw: ["撤回同意", "Withdraw my consent"],
  consentWithdrawSure: ["撤回后不能参与新的活动，已领的券仍可使用；可以随时重新同意。确定撤回？", "You cannot take part any more; vouchers you have can still be used. You can agree again at any time. Withdraw?"],
  consentWithdrawYes: ["确定撤回", "Yes, withdraw"],
  consentAgain: ["同意并继续参与", "Agree and go on taking part"],
  participation: ["参与记录", "Taking part"],
  drawsTitle: ["抽奖记录", "Draws"],
  none: ["暂无", "None"],
  large: ["大字版", "Large type"],
  language: ["English", "中文"],
  exportMine: ["导出我的数据", "Export my data"],
  erase: ["注销账号", "Erase my account"],
  eraseSure: ["注销后未使用的券和机会全部作废，且不能恢复。确定注销？", "Unused vouchers and chances are lost for good. Erase the account?"],
  eraseYes: ["确定注销", "Yes, erase it"],
  erased: ["账号已注销。", "Your account was erased."],
  signOut: ["退出登录", "Sign out"],
  offlineTitle: ["没有网络", "No network"],
  offlineWait: ["网络恢复后会自动继续。", "It goes on by itself when the network is back."],
  unreachable: ["网络不通，已为您保留这次操作，恢复后会继续，不会重复。", "No network. What you did is kept and goes on when it is back; nothing happens twice."],
  notToday: ["今天的次数已用完，请明天再试。", "That is all for today; please try again tomorrow."],
  waiting: ["网络较慢，正在重试（第 {n} 次）…", "Slow network, trying again ({n})…"],
  resumed: ["已接着完成上次的操作。", "What you did before has gone through."],
  excluded: ["您不能参与本次活动。", "You cannot take part in this campaign."],
  consentWithdrawn: ["您撤回了同意，不能参与新的活动；已领的券仍可使用。", "You withdrew your consent; vouchers you have can still be used."],
  support: ["请求编号 {id}", "Request {id}"],
  skip: ["跳到正文", "Skip to content"],
};

/**
 * @param {Language} language
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function say(language, key, values) {
  const both = WORDS[key];
  if (!both) throw new Error(`no word for ${key}`);
  const text = both[language === "en" ? 1 : 0];
  const given = values || {};
  return text.replace(/\{(\w+)\}/g, (_, name) => String(given[name]));
}

// The framework's faults speak of the API, and English only; those of our own are sentences already.
/** @type {Record<string, [string, string]>} */
const FAULTS = {
  missing: ["“{field}”没有填写。", "“{field}” is missing."],
  string_too_short: ["“{field}”没有填写或太短。", "“{field}” is missing or too short."],
  string_too_long: ["“{field}”太长。", "“{field}” is too long."],
  string_pattern_mismatch: ["“{field}”格式不正确。", "“{field}” has not the right form."],
};

/** @type {Record<string, string>} what the page calls a field of a request */
const FIELDS = {
  name: "name",
  id_number: "idNumber",
  check_in_code: "checkInCode",
  url: "url",
  text: "content",
  category: "category",
  place: "place",
  description: "description",
  phone: "phone",
};

/** @typedef {"home" | "identity" | "wallet" | "quiz" | "signIn" | "claim" | "again" | "tomorrow" | "consent"} Step */

/** @type {Record<string, [Step, string, string]>} */
const NEXT = {
  phase_not_open: ["home", "首页会显示下一期的开始时间。", "The home page says when the next phase opens."],
  campaign_paused: ["home", "活动恢复后可以继续，您的机会为您保留。", "Your chances are kept until it goes on."],
  attempts_exhausted: ["tomorrow", "明天 0 点后可以再答，也可以换一种方式参与。", "Try again tomorrow, or take part in another way."],
  attempt_expired: ["quiz", "如果今天还有次数，可以重新开始一份。", "Start a new one if you have attempts left today."],
  attempt_already_answered: ["home", "这份答卷已经交过，请查看结果。", "It was handed in already; see its result."],
  quiz_not_ready: ["home", "题库正在准备，请稍后再来。", "The questions are being prepared."],
  no_chance: ["home", "先参与一种方式，得到机会后再抽。", "Take part in one of the ways first."],
  limit_reached: ["home", "次数已满。已得的机会和券都为您保留。", "You have reached the limit; what you have is kept."],
  awards_exhausted: ["home", "本期奖品已派完，您的机会为您保留。", "Everything has been given out; your chances are kept."],
  identity_required: ["identity", "确认身份只需一次。", "This is needed only once."],
  identity_in_use: ["signIn", "这个身份已在另一个账号使用，请用原来的账号登录。", "Please sign in with the account that uses it."],
  id_number_invalid: ["again", "请对照身份证逐位检查。", "Please compare it with your card."],
  out_of_stock: ["claim", "请换一种券，中奖资格仍然有效。", "Please choose another type; your win still counts."],
  award_already_claimed: ["wallet", "券已在您的卡包里。", "It is in your wallet."],
  award_expired: ["home", "超过了领取期限。您可以继续参与。", "It was not claimed in time. You can go on taking part."],
  award_on_hold: ["home", "核实通过后即可领取，期限会为您保留。", "You can claim it once it has been checked."],
  participation_excluded: ["home", "如有疑问，请按提示的方式咨询。", "Please ask as told above if you think this is wrong."],
  consent_withdrawn: ["consent", "重新同意后可以继续参与。", "Give your consent again to go on."],
  check_in_code_unknown: ["again", "请重新扫描现场海报上的二维码。", "Please scan the poster again."],
  check_in_code_expired: ["again", "请扫描现场当前显示的二维码。", "Please scan the code shown now."],
  already_checked_in: ["home", "每场活动只需签到一次。", "Once per event is enough."],
  event_not_open: ["home", "请在活动时间内签到。", "Please check in while the event is open."],
  event_full: ["home", "名额已满，请参加其他场次。", "No places left; please join another one."],
  too_many_photos: ["again", "请先提交一条线索，再上传照片。", "Send a report first, then add photos."],
  phone_code_invalid: ["again", "请核对短信里的 6 位数字，或重新获取。", "Compare the 6 digits of the message, or ask for a new code."],
  sms_not_offered: ["home", "消息会显示在“记录”里。", "Messages are shown under “History”."],
  consent_not_given: ["home", "没有需要撤回的同意。", "There is nothing to withdraw."],
  consent_version_unknown: ["again", "请重新阅读最新的授权书。", "Please read the present text."],
  attempt_token_invalid: ["home", "请回到首页，从“继续答题”进入。", "Go home, and on from “Go on with the quiz”."],
  award_withdrawn: ["home", "您可以继续参与活动。", "You can go on taking part."],
  identity_already_bound: ["home", "本账号的身份已经确认，不需要再填。", "This account's identity is confirmed already."],
  submitted_too_soon: ["again", "请读完题目，过一会儿再交卷。", "Read the questions, and hand in a little later."],
  draw_log_not_published: ["home", "本期结束后可以查看。", "It can be seen once the phase is over."],
  provider_unavailable: ["home", "请从微信或支付宝小程序进入。", "Please come from the WeChat or Alipay mini-program."],
  sign_in_code_invalid: ["signIn", "请返回小程序重新进入。", "Please go back and enter from the mini-program again."],
  sign_in_refused: ["home", "如有疑问，请联系活动主办方。", "Please contact the organiser if you think this is wrong."],
  too_many_requests: ["again", "请过一分钟再试。", "Try again in a minute."],
  busy: ["again", "参与的人较多，请稍等片刻再试。", "Many people are here now; try again in a moment."],
  not_ready: ["again", "平台正在启动，请稍等片刻再试。", "The platform is starting; try again in a moment."],
  internal_error: ["again", "请稍后再试；如果一直这样，请把请求编号告诉工作人员。", "Try again later; if it stays so, tell staff the request's number."],
  invalid_request: ["again", "请按提示修改后再提交。", "Please mend what is named, and send it again."],
  payload_too_large: ["again", "请换一张小一些的照片。", "Please choose a smaller photo."],
  unsupported_media_type: ["home", "请刷新页面后再试。", "Please reload the page and try again."],
  method_not_allowed: ["home", "请刷新页面后再试。", "Please reload the page and try again."],
  request_no_reused: ["home", "请到“记录”查看上次的结果。", "See under “History” what became of the last one."],
  forbidden: ["home", "它可能不属于您。", "It may not be yours."],
  not_found: ["home", "它可能已经过期，或者不属于您。", "It may be over, or not be yours."],
  unauthenticated: ["signIn", "登录已过期，重新登录后继续。", "Your sign-in is over; go on after signing in."],
};

// Who is told to wait longer has used up a day's worth.
const LONG_SECONDS = 3600;

/**
 * When to come again, for somebody whom the platform asked for patience.
 * @param {Language} language
 * @param {{code: string, seconds: number | null}} later
 */
export function patience(language, later) {
  return (later.seconds || 0) > LONG_SECONDS ? say(language, "notToday") : next(language, later.code).sentence;
}

/**
 * What is wrong with each field, as far as it can be said in this language.
 * @param {Language} language
 * @param {Array<{loc: string, message: string, code: string}>} errors
 * @returns {string[]}
 */
export function reasons(language, errors) {
  return errors.map(({ loc, message, code }) => {
    const field = FIELDS[loc.slice(loc.lastIndexOf(".") + 1)];
    const known = FAULTS[code];
    if (known && field) return known[language === "en" ? 1 : 0].replace("{field}", say(language, field));
    if (!message || (language === "zh" && /^[ -~]*$/.test(message))) return "";
    return /[。.！!？?]$/.test(message) ? message : `${message}${language === "en" ? "." : "。"}`;
  }).filter(Boolean);
}

/**
 * What somebody who was refused can do next.
 * @param {Language} language
 * @param {string} code
 * @returns {{step: Step, sentence: string}}
 */
export function next(language, code) {
  const found = NEXT[code];
  if (!found) return { step: "home", sentence: "" };
  return { step: found[0], sentence: found[language === "en" ? 2 : 1] };
}
