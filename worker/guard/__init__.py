"""The only way from recorder processes to rooms' servers: a proxy on loopback that decides what is dialed.

LiveKit's SDK sends its signaling through it (`HTTP_PROXY` and `HTTPS_PROXY`, measured with livekit 1.2.1). Media do not
pass here: they are WebRTC's, and the network's to allow.
"""
