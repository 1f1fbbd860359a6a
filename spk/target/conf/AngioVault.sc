[angiovault-dicom]
title="AngioVault (DICOM)"
desc="AngioVault"
port_forward="no"
dst.ports="11112/tcp"
