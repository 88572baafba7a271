"""Answers the benchmark's questions with z3 and prints both times.

A packet is five bit vectors. Groups are disjunctions, ACLs nested first-match conditionals, routes a longest-prefix
conditional; the answer is the same rule lists on the exchanged packet. Two queries per question: does some packet get
through, does some packet not. Both sides count processor time. That is the verdict alone, without trace, blockers or the exact part.
"""

import ipaddress
import json
import sys
import time

from z3 import And, BitVec, BoolVal, If, Not, Or, Solver, UGE, ULE, sat


def block(vector, text):
    net = ipaddress.ip_network(text)
    return And(UGE(vector, int(net.network_address)), ULE(vector, int(net.broadcast_address)))


def ports(vector, first, last):
    return And(UGE(vector, first), ULE(vector, last))


class World:
    def __init__(self, documents):
        self.rows = {}
        for key, row in documents:
            self.rows.setdefault(key, []).append(row)
        self.group = {g["GroupId"]: g for g in self.rows["SecurityGroups"]}
        self.subnet = {s["SubnetId"]: s for s in self.rows["Subnets"]}
        self.acl = {n["Associations"][0]["SubnetId"]: n for n in self.rows["NetworkAcls"]}
        self.table = {t["Associations"][0]["SubnetId"]: t for t in self.rows["RouteTables"]}
        self.lists = {l["PrefixListId"]: l["Cidrs"] for l in self.rows["PrefixLists"]}

    def members(self, group):
        for eni in self.rows["NetworkInterfaces"]:
            if any(g["GroupId"] == group for g in eni["Groups"]):
                yield eni["PrivateIpAddress"] + "/32"

    def admits(self, groups, member, peer, peer_groups, packet):
        """The rules of groups for the peer's address; group references by membership where the peer is an interface."""
        cases = []
        for rule in (r for g in groups for r in self.group[g][member]):
            service = BoolVal(True)
            if rule["IpProtocol"] == "tcp":
                service = And(packet["protocol"] == 6, ports(packet["to"], rule["FromPort"], rule["ToPort"]))
            for span in rule.get("IpRanges", []):
                cases.append(And(service, block(peer, span["CidrIp"])))
            for pair in rule.get("UserIdGroupPairs", []):
                if peer_groups is not None:
                    cases.append(And(service, BoolVal(pair["GroupId"] in peer_groups)))
                else:
                    for address in self.members(pair["GroupId"]):
                        cases.append(And(service, block(peer, address)))
            for ref in rule.get("PrefixListIds", []):
                for entry in self.lists[ref["PrefixListId"]]:
                    cases.append(And(service, block(peer, entry)))
        return Or(cases) if cases else BoolVal(False)

    def passes_acl(self, subnet, egress, packet):
        entries = [e for e in self.acl[subnet]["Entries"] if e["Egress"] == egress]
        verdict = BoolVal(False)
        for entry in sorted(entries, key=lambda e: -e["RuleNumber"]):
            peer = packet["destination"] if egress else packet["source"]
            match = block(peer, entry["CidrBlock"])
            if entry["Protocol"] != "-1":
                span = entry["PortRange"]
                match = And(match, packet["protocol"] == int(entry["Protocol"]), ports(packet["to"], span["From"], span["To"]))
            verdict = If(match, BoolVal(entry["RuleAction"] == "allow"), verdict)
        return verdict

    def routed_to(self, subnet, packet, wanted):
        routes = []
        for route in self.table[subnet]["Routes"]:
            target = route.get("GatewayId") or route.get("NatGatewayId")
            cidrs = [route["DestinationCidrBlock"]] if "DestinationCidrBlock" in route else self.lists[route["DestinationPrefixListId"]]
            routes += [(ipaddress.ip_network(c).prefixlen, c, target) for c in cidrs]
        chosen = BoolVal(False)
        for _, cidr, target in sorted(routes):
            chosen = If(block(packet["destination"], cidr), BoolVal(target == wanted), chosen)
        return chosen


def exchanged(packet):
    return {
        "protocol": packet["protocol"],
        "source": packet["destination"],
        "destination": packet["source"],
        "from": packet["to"],
        "to": packet["from"],
    }


def answer(world, question):
    packet = {name: BitVec(name, width) for name, width in
              [("protocol", 8), ("source", 32), ("destination", 32), ("from", 16), ("to", 16)]}
    here = question["subnet"]
    net = ipaddress.ip_network(world.subnet[here]["CidrBlock"])
    asked = And(
        packet["protocol"] == 6,
        UGE(packet["source"], int(net.network_address) + 4), ULE(packet["source"], int(net.broadcast_address) - 1),
        packet["destination"] == int(ipaddress.ip_address(question["address"])),
        packet["to"] == question["port"], UGE(packet["from"], 1024),
    )
    back = exchanged(packet)
    steps = [
        world.admits(question["groups"], "IpPermissionsEgress", packet["destination"], None, packet),
        world.passes_acl(here, True, packet),
        world.passes_acl(here, False, back),
    ]
    if question["interface"]:
        eni = next(e for e in world.rows["NetworkInterfaces"] if e["NetworkInterfaceId"] == question["interface"])
        there = eni["SubnetId"]
        steps += [
            world.routed_to(here, packet, "local"),
            world.passes_acl(there, False, packet),
            world.admits([g["GroupId"] for g in eni["Groups"]], "IpPermissions", packet["source"], question["groups"], packet),
            world.passes_acl(there, True, back),
            world.routed_to(there, back, "local"),
        ]
    else:
        steps.append(world.routed_to(here, packet, "vpce-1-s3"))
    works = And(steps)
    found = []
    for query in (works, Not(works)):
        solver = Solver()
        solver.add(asked, query)
        found.append(solver.check() == sat)
    return {(True, False): "All", (False, True): "None", (True, True): "Part"}[tuple(found)]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        worlds = json.load(file)
    slowest = None
    for entry in worlds:
        world = World(entry["documents"])
        for question in entry["questions"]:
            runs, start = 0, time.process_time()
            while time.process_time() - start < 0.5:
                verdict = answer(world, question)
                runs += 1
            spent = (time.process_time() - start) / runs * 1e6
            if verdict != question["verdict"]:
                sys.exit(f"differ on {question}: z3 says {verdict}")
            ratio = spent / question["microseconds"]
            slowest = ratio if slowest is None else min(slowest, ratio)
            print(f"{entry['rules']:>5} rules, {question['address']}:{question['port']} {verdict}: "
                  f"z3 {spent / 1000:.2f} ms, engine {question['microseconds']:.1f} us, {ratio:.0f} times")
    print(f"smallest ratio {slowest:.0f}; every verdict agrees")


main()
