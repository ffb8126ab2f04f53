"""Makes a client of a WSDL and calls it, as the Web Connector would.

zeep_client.py WSDL --versions      the calls that need no session
zeep_client.py WSDL USER PASSWORD   one session, with a QuickBooks that makes every customer
"""

import re
import sys

import zeep


def versions(service):
    print("serverVersion:", service.serverVersion())
    print("clientVersion:", repr(service.clientVersion(strVersion="34.0.10010.76") or ""))
    answer = service.authenticate(strUserName="nobody", strPassword="nothing")
    print("authenticate:", [text or "" for text in answer])


def made(request):
    """What QuickBooks says to the CustomerAddRq of a request."""
    answers = []
    for number, (attributes, name) in enumerate(
        re.findall(r"<CustomerAddRq([^>]*)>.*?<Name>(.*?)</Name>", request, re.DOTALL)
    ):
        request_id = re.search(r'requestID="([^"]*)"', attributes).group(1)
        answers.append(
            f'<CustomerAddRs requestID="{request_id}" statusCode="0" statusSeverity="Info" '
            f'statusMessage="Status OK"><CustomerRet><ListID>8000{number:04}-1700000000</ListID>'
            f"<EditSequence>1700000000</EditSequence><Name>{name}</Name>"
            f"<FullName>{name}</FullName></CustomerRet></CustomerAddRs>"
        )
    new = re.search(r'newMessageSetID="([^"]*)"', request)
    attributes = f' newMessageSetID="{new.group(1)}" messageSetStatusCode="0"' if new else ""
    return (
        f'<?xml version="1.0" ?><QBXML><QBXMLMsgsRs{attributes}>'
        f"{''.join(answers)}</QBXMLMsgsRs></QBXML>"
    )


def session(service, user, password):
    service.serverVersion()
    service.clientVersion(strVersion="34.0.10010.76")
    ticket, company, *_ = [text or "" for text in service.authenticate(user, password)]
    print("authenticate:", repr(company))
    if company in ("none", "nvu", "busy"):
        return
    for _ in range(100):
        request = service.sendRequestXML(ticket, "", "C:\\Books\\Acme.QBW", "US", 13, 0)
        if not request:
            print("getLastError:", service.getLastError(ticket))
            break
        print("request:", request)
        percent = service.receiveResponseXML(ticket, made(request), "", "")
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
    session(service, sys.argv[2], sys.argv[3])


if __name__ == "__main__":
    main()
