"""Makes a client of a WSDL and calls it, as the Web Connector would.

zeep_client.py WSDL --versions           the calls that need no session
zeep_client.py WSDL USER PASSWORD [FILE] one session; FILE is answered to every request
"""

import sys

import zeep


def versions(service):
    print("serverVersion:", service.serverVersion())
    print("clientVersion:", repr(service.clientVersion(strVersion="34.0.10010.76") or ""))
    answer = service.authenticate(strUserName="nobody", strPassword="nothing")
    print("authenticate:", [text or "" for text in answer])


def session(service, user, password, response):
    service.serverVersion()
    service.clientVersion(strVersion="34.0.10010.76")
    ticket, company, *_ = [text or "" for text in service.authenticate(user, password)]
    print("authenticate:", repr(company))
    if company in ("none", "nvu", "busy"):
        return
    first, rounds = "<?xml version=\"1.0\" ?><QBXML><QBXMLMsgsRs/></QBXML>", 0
    while rounds < 100:
        request = service.sendRequestXML(ticket, first, "C:\\Books\\Acme.QBW", "US", 13, 0)
        if not request:
            print("getLastError:", service.getLastError(ticket))
            break
        print("request:", request)
        rounds, first = rounds + 1, ""
        percent = service.receiveResponseXML(ticket, response(request), "", "")
        print("percent:", percent)
        if percent < 0:
            print("getLastError:", service.getLastError(ticket))
        if percent < 0 or percent == 100:
            break
    print("closeConnection:", service.closeConnection(ticket))


def main():
    service = zeep.Client(sys.argv[1]).service
    if sys.argv[2] == "--versions":
        versions(service)
        return
    text = open(sys.argv[4], encoding="utf-8").read() if len(sys.argv) > 4 else ""
    session(service, sys.argv[2], sys.argv[3], lambda request: text)


if __name__ == "__main__":
    main()
