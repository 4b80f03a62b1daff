from shared.errors import Refusal


class ServicesNotConnected(Refusal):
    code = "services_not_connected"
    status = 503
    zh = "管理台没有连接到其他服务，此页面暂时无法使用，请联系运维人员设置 HV_SERVICES_URL。"
    en = "The console is not connected to the other services: set HV_SERVICES_URL to use this page."
